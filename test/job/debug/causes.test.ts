import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { Check } from "../../../src/core/health.ts"
import { type Cause, nameCause } from "../../../src/job/debug/causes.ts"
import { container } from "../../support/container.ts"

const failed = (name: string): Check => ({ name, state: "failed", detail: "x" })

const cases: readonly (readonly [Cause, Partial<Parameters<typeof nameCause>[0]>])[] = [
  ["missing", { container: undefined }],
  ["stopped", { container: container({ state: "exited", exitCode: 0 }) }],
  ["paused", { container: container({ state: "paused" }) }],
  ["out-of-memory", { container: container({ state: "exited", oomKilled: true, exitCode: 137 }) }],
  ["restart-loop", { container: container({ state: "restarting", restarts: 9, exitCode: 1 }) }],
  [
    "port-conflict",
    {
      container: container({
        state: "created",
        error: "driver failed: Bind for 0.0.0.0:80 failed: port is already allocated",
      }),
    },
  ],
  ["network-missing", { container: container({ state: "exited", error: "network 3e50e1fb25a8 not found" }) }],
  ["network-missing", { container: container(), checks: [failed("network shop_default")] }],
  [
    "bad-mount",
    {
      container: container({
        state: "created",
        error: "error while creating mount source path '/x': mkdir /x: read-only file system",
      }),
    },
  ],
  ["bad-mount", { container: container(), checks: [failed("volume /data")] }],
  [
    "disk-full",
    { container: container({ state: "exited" }), log: "FATAL:  could not write lock file: No space left on device" },
  ],
  [
    "data-unreadable",
    {
      container: container({ state: "restarting" }),
      log: "2026-01-01T00:00:00Z PANIC:  could not locate a valid checkpoint record",
    },
  ],
  [
    "data-unreadable",
    { container: container({ state: "exited" }), log: "Bad file format reading the append only file" },
  ],
  [
    "data-unreadable",
    {
      container: container({ state: "running", restarts: 1 }),
      checks: [failed("connections")],
      log: "PANIC:  could not locate a valid checkpoint record",
    },
  ],
  ["unhealthy", { container: container(), checks: [failed("connections")] }],
  ["unknown", { container: container(), checks: [{ name: "stun-binding", state: "unknown", detail: "no tool" }] }],
]

describe("nameCause", () => {
  for (const [cause, evidence] of cases) {
    it(`says ${cause} for ${JSON.stringify(evidence.container?.state ?? "no container")} ${evidence.container?.error ?? ""}`, () => {
      const whole = { container: undefined, checks: [], log: "", restartLimit: 3, ...evidence }
      assert.equal(nameCause(whole).cause, cause)
    })
  }
})
