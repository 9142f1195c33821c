import { releaseRemembered } from "../../src/action/post-claim.ts"
import { runPost } from "../../src/action/run-post.ts"
import { backupContract } from "./contract.ts"

void runPost(backupContract, releaseRemembered)
