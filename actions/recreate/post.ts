import { releaseRemembered } from "../../src/action/post-claim.ts"
import { runPost } from "../../src/action/run-post.ts"
import { recreateContract } from "./contract.ts"

void runPost(recreateContract, releaseRemembered)
