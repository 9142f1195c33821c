import { runAction } from "../../src/action/run-action.ts"
import { debugAction } from "./action.ts"

void runAction(debugAction)
