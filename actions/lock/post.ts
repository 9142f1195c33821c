import { releaseAfter } from "../../src/action/release-after.ts"
import { runPost } from "../../src/action/run-post.ts"
import { claimState, markState } from "./action.ts"
import { lockContract } from "./contract.ts"

void runPost(lockContract, async (inputs, context, state) => {
  const number = state(claimState)
  const mark = state(markState)
  if (mark === undefined) return
  await releaseAfter(inputs, context, { mark, ...(number !== undefined && { number: Number(number) }) })
})
