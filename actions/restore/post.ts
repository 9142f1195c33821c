import { releaseRemembered } from "../../src/action/post-claim.ts"
import { runPost } from "../../src/action/run-post.ts"
import { restoreContract } from "./contract.ts"

void runPost(restoreContract, releaseRemembered)
