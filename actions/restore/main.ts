import { runAction } from "../../src/action/run-action.ts"
import { restoreAction } from "./action.ts"

void runAction(restoreAction)
