import { releaseRemembered } from "../../src/action/post-claim.ts"
import { runPost } from "../../src/action/run-post.ts"
import { debugContract } from "./contract.ts"

void runPost(debugContract, releaseRemembered)
