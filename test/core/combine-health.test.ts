import assert from "node:assert/strict"
import { test } from "node:test"
import { combineHealth } from "../../src/core/combine-health.ts"
import { type HealthState, healthStates } from "../../src/core/health.ts"

const timestamp = "2026-01-31T02:00:00Z"

test("the worst service gives status and exit code", () => {
  const table: readonly (readonly [readonly HealthState[], string, number])[] = [
    [["healthy", "healthy"], "healthy", 0],
    [["healthy", "degraded"], "healthy", 1],
    [["degraded", "unhealthy"], "unhealthy", 2],
    [["healthy", "unknown"], "unhealthy", 2],
    [["unhealthy", "missing"], "missing", 3],
    [["missing"], "missing", 3],
  ]
  for (const [states, status, exitCode] of table) {
    const result = combine(...states)
    assert.deepEqual([result.report.status, result.exitCode], [status, exitCode], states.join())
  }
})

test("an unhealthy service that a start may mend is minor, unless another one is worse", () => {
  const health = (state: HealthState) => ({ state, checks: [], details: {} })
  const stopped = { service: "cache", health: health("unhealthy"), fixable: true }
  assert.equal(combineHealth([stopped], timestamp).exitCode, 1)
  assert.equal(combineHealth([stopped], timestamp).report.status, "unhealthy")
  assert.equal(combineHealth([stopped, { service: "db", health: health("unhealthy") }], timestamp).exitCode, 2)
})

test("exit code 0 means healthy and nothing else", () => {
  for (const one of healthStates) {
    for (const other of healthStates) {
      const { exitCode } = combine(one, other)
      assert.equal(exitCode === 0, one === "healthy" && other === "healthy", `${one} ${other}`)
    }
  }
})

test("the report is JSON of status, services and timestamp", () => {
  const details = { connections: 3 }
  const { report } = combineHealth(
    [{ service: "postgres", health: { state: "healthy", checks: [], details } }],
    timestamp,
  )
  assert.deepEqual(report, { status: "healthy", services: { postgres: { status: "healthy", details } }, timestamp })
})

test("nothing looked at is no health", () => {
  assert.throws(() => combineHealth([], timestamp), { code: "health-empty" })
})

function combine(...states: readonly HealthState[]) {
  const services = states.map((state, index) => ({ service: `s${index}`, health: { state, checks: [], details: {} } }))
  return combineHealth(services, timestamp)
}
