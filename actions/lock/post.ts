import { releaseRemembered } from "../../src/action/post-claim.ts"
import { runPost } from "../../src/action/run-post.ts"
import { lockContract } from "./contract.ts"

void runPost(lockContract, releaseRemembered)
