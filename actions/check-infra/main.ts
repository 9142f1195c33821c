import { runAction } from "../../src/action/run-action.ts"
import { checkInfraAction } from "./action.ts"

void runAction(checkInfraAction)
