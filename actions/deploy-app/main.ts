import { runAction } from "../../src/action/run-action.ts"
import { deployAppAction } from "./action.ts"

void runAction(deployAppAction)
