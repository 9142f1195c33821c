import { runAction } from "../../src/action/run-action.ts"
import { pipelineAction } from "./action.ts"

void runAction(pipelineAction)
