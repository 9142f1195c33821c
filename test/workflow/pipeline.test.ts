import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { before, describe, test } from "node:test"
import { type Facts, type JobName, jobNames, type Progress, shouldRun } from "../../src/core/decision.ts"
import { parseFacts } from "../../src/core/facts.ts"
import { allFacts } from "../core/all-facts.ts"
import { runGuard } from "./guard.ts"
import { conditionsOf, type Ended, type Result, type RunState, readWorkflow } from "./workflow.ts"

const text = readFileSync(new URL("../../.github/workflows/pipeline.yml", import.meta.url), "utf8")

type Starts = (id: string, state: RunState) => boolean

describe("the conditions of pipeline.yml", () => {
  let starts: Starts
  before(async () => {
    starts = conditionsOf(await readWorkflow(text))
  })

  test("the workflow has the jobs of the decision, each needing all before it", async () => {
    const jobs = await readWorkflow(text)
    const ids = ["detect-changes", "check-infra", ...jobNames, "result"]
    assert.deepEqual(
      jobs.map((job) => job.id),
      ids,
    )
    for (const [index, job] of jobs.entries()) assert.deepEqual(job.needs, index < 2 ? [] : ids.slice(0, index))
  })

  test("equal the decision for every combination of facts, results and answers", () => {
    const compared = compareEverywhere(starts)
    assert.ok(compared > 100_000, `only ${compared} decisions were compared`)
  })

  test("run nothing when a fact could not be found out", () => {
    for (const facts of allFacts([[], ["verify"]])) {
      for (const job of ["detect-changes", "check-infra"]) {
        for (const result of ["failure", "cancelled", "skipped"] as const) {
          const state = stateOf(facts, { [job]: { result, outputs: outputsOf(facts)[job] ?? {} } })
          for (const id of jobNames) assert.equal(starts(id, state), false, `${id} after ${job} ${result}`)
          assert.equal(starts("result", state), true)
        }
      }
    }
  })

  test("start nothing more once a person has cancelled, but unlock and result", () => {
    for (const facts of allFacts([[], ["backup", "recreate", "restore", "verify", "deploy-app"]])) {
      for (const [index] of jobNames.entries()) {
        const done = jobNames.slice(0, index).map((id) => [id, { result: "success", outputs: {} }] as const)
        const state = { ...stateOf(facts, Object.fromEntries(done)), cancelled: true }
        for (const id of jobNames.slice(index)) {
          assert.equal(starts(id, state), id === "unlock" && index > 0, `${id} after ${index} jobs`)
        }
        assert.equal(starts("result", state), true)
      }
    }
  })

  test("a comparison notices one changed condition", async () => {
    const changes: readonly (readonly [string, string])[] = [
      ["needs.debug.outputs.debug-status == 'failed'", "needs.debug.outputs.debug-status == 'fixed'"],
      ["&& (needs.backup.result == 'success' || needs.check-infra.outputs.data-present == 'false')", ""],
      ["needs.recreate.outputs.restore-needed != 'false'", "needs.recreate.outputs.restore-needed"],
      ["!contains(needs.*.result, 'cancelled') &&", ""],
      ["needs.lock.result == 'success' &&", ""],
      ["always() && needs.lock.result != 'skipped'", "needs.lock.result != 'skipped'"],
      ["inputs.force == ''", "true"],
    ]
    for (const [from, to] of changes) {
      assert.ok(text.includes(from), from)
      const mutant = conditionsOf(await readWorkflow(text.replaceAll(from, to)))
      assert.throws(() => compareEverywhere(mutant), { code: "ERR_ASSERTION" }, `${from} -> ${to}`)
    }
  })
})

test("a backup to bring back and a forced restore are asked for together, or not at all", async () => {
  const jobs = await readWorkflow(text)
  const guard = (force: string, id: string) =>
    runGuard(jobs, { job: "detect-changes", step: "The inputs go together", values: { force, "backup-id": id } })
  for (const force of ["restore", "backup, restore", "verify,restore", "backup\nrestore\n"])
    assert.deepEqual([guard(force, "latest"), guard(force, "")], [true, false], force)
  for (const force of ["", "verify", "restored", "no-restore"])
    assert.deepEqual([guard(force, "latest"), guard(force, "")], [false, true], force)
})

describe("an output that came back empty", () => {
  test("of a fact: lock starts, its first step fails, nothing else runs", async () => {
    const starts = conditionsOf(await readWorkflow(text))
    for (const facts of allFacts([[], ["verify"]])) {
      for (const [job, outputs] of Object.entries(outputsOf(facts))) {
        for (const name of Object.keys(outputs)) {
          const state = stateOf(facts, { [job]: { result: "success", outputs: { ...outputs, [name]: "" } } })
          assert.throws(() => parseFacts(factTexts(state, facts)), { code: "fact-empty" })
          assert.equal(starts("lock", state), true, `${name} empty`)
          const failed = { ...state, ended: { ...state.ended, lock: { result: "failure", outputs: {} } as const } }
          for (const id of jobNames.slice(1)) assert.equal(starts(id, failed), id === "unlock", `${id}, ${name} empty`)
        }
      }
    }
  })

  test("the first step of lock passes exactly the facts that core reads", async () => {
    const jobs = await readWorkflow(text)
    const facts = allFacts([[]])[0] as Facts
    const sound = Object.assign({}, ...Object.values(outputsOf(facts))) as Record<string, string>
    const odd = Object.keys(sound).flatMap((name) =>
      ["", "True", "true ", "unknown"].map((value) => ({ [name]: value })),
    )
    const forces = ["backup", "backup, verify\nrecreate", "restore", "resto", "debug", "*", "backup;verify"].map(
      (force) => ({ force }),
    )
    const left = ["run", "restore"].flatMap((unfinished) => [{ unfinished }, { unfinished, force: "restore" }])
    const cases = [{}, { "infra-status": "missing" }, ...left, ...odd, ...forces].map((one) => ({
      ...sound,
      force: "",
      ...one,
    }))
    for (const values of cases) {
      const passes = runGuard(jobs, { job: "lock", step: "The facts are whole", values })
      assert.equal(passes, readable(values), JSON.stringify(values))
    }
  })

  test("of debug: backup, or without data verify, starts and its first step fails", async () => {
    const jobs = await readWorkflow(text)
    const starts = conditionsOf(jobs)
    for (const facts of allFacts([[]]).filter((one) => shouldRun("debug", one, { results: { lock: "success" } }))) {
      const ended = { lock: success, debug: success }
      const next = facts.dataPresent ? "backup" : "verify"
      const state = stateOf(facts, ended)
      assert.equal(
        jobNames.slice(2).find((id) => starts(id, state)),
        next,
      )
      const failed = stateOf(facts, { ...ended, [next]: { result: "failure", outputs: {} } })
      for (const id of jobNames.slice(jobNames.indexOf(next) + 1)) assert.equal(starts(id, failed), id === "unlock")
    }
    for (const job of ["backup", "verify"]) {
      const guard = (value: string) =>
        runGuard(jobs, { job, step: "The answer of debug is whole", values: { "debug-status": value } })
      assert.deepEqual(["", "fixed", "failed", "x y"].map(guard), [false, true, true, false])
    }
  })

  test("of recreate: restore starts and its first step fails", async () => {
    const jobs = await readWorkflow(text)
    const starts = conditionsOf(jobs)
    const facts = { ...(allFacts([[]])[0] as Facts), infraChanged: true, dataPresent: true }
    assert.equal(starts("restore", stateOf(facts, { lock: success, backup: success, recreate: success })), true)
    const guard = (value: string) =>
      runGuard(jobs, { job: "restore", step: "The answer of recreate is whole", values: { "restore-needed": value } })
    assert.deepEqual(["", "true", "false", "no"].map(guard), [false, true, true, false])
  })
})

const success: Ended = { result: "success", outputs: {} }

/** For what an earlier run left: evaluating GitHub's expressions takes time. */
const fewForces = [[], ["restore"], ["verify"], ["deploy-app"], ["recreate"]] as const

/** Walks every path of results and answers from every combination of facts; the number of decisions compared. */
function compareEverywhere(starts: Starts): number {
  let compared = 0
  const walk = (facts: Facts, index: number, progress: Progress, state: RunState) => {
    const job = jobNames[index]
    if (!job) return
    const runs = shouldRun(job, facts, progress)
    const actual = starts(job, state)
    compared += 1
    if (runs !== actual) assert.equal(actual, runs, `${job}: ${JSON.stringify({ facts, progress })}`)
    for (const next of runs ? outcomes(job, progress) : [withResult(progress, job, "skipped")]) {
      walk(facts, index + 1, next, { ...state, ended: { ...state.ended, [job]: endedOf(job, next) } })
    }
  }
  for (const facts of [...allFacts().filter((one) => one.unfinished === "no"), ...allFacts(fewForces)])
    walk(facts, 0, { results: {} }, stateOf(facts, {}))
  return compared
}

/** Everything that can come of a job that runs; also being skipped for a reason outside of the conditions. */
function outcomes(job: JobName, progress: Progress): readonly Progress[] {
  const ended = (["failure", "cancelled", "skipped"] as const).map((result) => withResult(progress, job, result))
  const good = withResult(progress, job, "success")
  if (job === "debug") return [...ended, { ...good, debugStatus: "fixed" }, { ...good, debugStatus: "failed" }]
  if (job === "recreate") return [...ended, { ...good, restoreNeeded: true }, { ...good, restoreNeeded: false }]
  return [...ended, good]
}

function withResult(progress: Progress, job: JobName, result: Result): Progress {
  return { ...progress, results: { ...progress.results, [job]: result } }
}

function endedOf(job: JobName, { results, debugStatus, restoreNeeded }: Progress): Ended {
  const outputs: Readonly<Partial<Record<JobName, Record<string, string>>>> = {
    debug: { "debug-status": debugStatus ?? "" },
    recreate: { "restore-needed": restoreNeeded === undefined ? "" : String(restoreNeeded) },
  }
  return { result: results[job] ?? "skipped", outputs: outputs[job] ?? {} }
}

function stateOf(facts: Facts, ended: Readonly<Record<string, Ended>>): RunState {
  const looked = Object.entries(outputsOf(facts)).map(
    ([job, outputs]) => [job, { result: "success", outputs }] as const,
  )
  return {
    ended: { ...Object.fromEntries(looked), ...ended },
    inputs: { force: facts.force.join(" "), "backup-before-migrate": facts.beforeMigrate, "backup-id": "" },
    cancelled: false,
  }
}

function outputsOf(facts: Facts): Record<string, Record<string, string>> {
  return {
    "detect-changes": {
      "infra-changed": String(facts.infraChanged),
      "app-changed": String(facts.appChanged),
      "migrations-changed": String(facts.migrationsChanged),
    },
    "check-infra": {
      "infra-status": facts.infraStatus,
      "data-present": String(facts.dataPresent),
      unfinished: facts.unfinished,
    },
  }
}

function factTexts(state: RunState, facts: Facts): Parameters<typeof parseFacts>[0] {
  const outputs = { ...state.ended["detect-changes"]?.outputs, ...state.ended["check-infra"]?.outputs }
  const all = { ...outputs, "backup-before-migrate": String(facts.beforeMigrate), force: facts.force.join(" ") }
  return all as Parameters<typeof parseFacts>[0]
}

function readable(values: Readonly<Record<string, string>>): boolean {
  try {
    parseFacts({ ...values, "backup-before-migrate": "true" } as Parameters<typeof parseFacts>[0])
    return true
  } catch {
    // The error itself is tested with the function; here only that there is one.
    return false
  }
}
