import assert from "node:assert/strict"
import { test } from "node:test"
import { eventBase } from "../../src/job/event-base.ts"

const hash = "a".repeat(40)
const zeros = "0".repeat(40)
const branch = "refs/heads/main"

const cases: readonly (readonly [string, unknown, string])[] = [
  ["push", { ref: branch, before: hash }, `commit ${hash}`],
  ["push", { ref: branch, before: hash, forced: true }, `commit ${hash}`],
  ["push", { ref: branch, before: zeros }, "none"],
  ["push", { ref: "refs/tags/v1", before: hash }, "none"],
  ["push", { ref: branch, before: "--upload-pack=x" }, "none"],
  ["push", "garbage", "none"],
  ["pull_request", { pull_request: { base: { sha: hash } } }, `merge-base ${hash}`],
  ["pull_request", {}, "none"],
  ["pull_request_target", { pull_request: { base: { sha: hash } } }, "none"],
  ["merge_group", { merge_group: { base_sha: hash } }, `commit ${hash}`],
  ["merge_group", { merge_group: {} }, "none"],
  ["schedule", {}, "none"],
  ["workflow_dispatch", {}, "none"],
  ["", {}, "none"],
]
for (const [name, payload, expected] of cases)
  test(`${name || "no event"} ${JSON.stringify(payload)}: ${expected.split(" ")[0]}`, () => {
    const base = eventBase({ name, payload })
    assert.equal(base.kind === "none" ? "none" : `${base.kind} ${base.commit}`, expected)
    assert.notEqual(base.why, "")
  })
