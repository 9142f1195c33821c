import { runAction } from "../../src/action/run-action.ts"
import { detectChangesAction } from "./action.ts"

void runAction(detectChangesAction)
