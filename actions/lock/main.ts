import { runAction } from "../../src/action/run-action.ts"
import { lockAction } from "./action.ts"

void runAction(lockAction)
