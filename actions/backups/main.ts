import { runAction } from "../../src/action/run-action.ts"
import { backupsAction } from "./action.ts"

void runAction(backupsAction)
