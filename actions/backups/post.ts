import { releaseRemembered } from "../../src/action/post-claim.ts"
import { runPost } from "../../src/action/run-post.ts"
import { backupsContract } from "./contract.ts"

void runPost(backupsContract, releaseRemembered)
