import { releaseRemembered } from "../../src/action/post-claim.ts"
import { runPost } from "../../src/action/run-post.ts"
import { drillContract } from "./contract.ts"

void runPost(drillContract, releaseRemembered)
