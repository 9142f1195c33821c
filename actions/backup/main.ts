import { runAction } from "../../src/action/run-action.ts"
import { backupAction } from "./action.ts"

void runAction(backupAction)
