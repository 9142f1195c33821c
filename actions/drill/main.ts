import { runAction } from "../../src/action/run-action.ts"
import { drillAction } from "./action.ts"

void runAction(drillAction)
