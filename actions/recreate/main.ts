import { runAction } from "../../src/action/run-action.ts"
import { recreateAction } from "./action.ts"

void runAction(recreateAction)
