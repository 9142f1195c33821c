import { releaseRemembered } from "../../src/action/post-claim.ts"
import { runPost } from "../../src/action/run-post.ts"
import { deployAppContract } from "./contract.ts"

void runPost(deployAppContract, releaseRemembered)
