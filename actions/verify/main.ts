import { runAction } from "../../src/action/run-action.ts"
import { verifyAction } from "./action.ts"

void runAction(verifyAction)
