import { releaseRemembered } from "../../src/action/post-claim.ts"
import { runPost } from "../../src/action/run-post.ts"
import { pipelineContract } from "./contract.ts"

void runPost(pipelineContract, releaseRemembered)
