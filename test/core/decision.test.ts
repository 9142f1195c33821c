import assert from "node:assert/strict"
import { describe, test } from "node:test"
import {
  type Facts,
  forcibleJobs,
  type JobName,
  type JobResult,
  jobNames,
  nextJob,
  type Progress,
  plannedJobs,
  restoreNeeded,
  ruleFor,
  shouldRun,
} from "../../src/core/decision.ts"
import { allFacts } from "./all-facts.ts"

type Answers = { readonly debugStatus: "fixed" | "failed"; readonly restoreNeeded: boolean }

/**
 * The matrix as the design page has it, row by row: `restore?` where recreate says so, `app?` if it changed, `backup?`
 * if there are migrations and data. Rows are written out, nothing is shared with the function under test.
 */
function expectedJobs(facts: Facts, answers: Answers): readonly string[] {
  const infra = facts.infraChanged || facts.force.includes("recreate")
  const app = facts.appChanged || facts.migrationsChanged || facts.force.includes("deploy-app")
  const row = () => {
    if (infra && facts.dataPresent) return "lock backup recreate restore? verify app?"
    if (infra) return "lock recreate restore? verify app"
    if (facts.infraStatus === "missing" && !facts.dataPresent) return "lock recreate restore? verify app"
    // The page has no row for unhealthy without data: there is nothing to lose, so it is created like a missing one.
    if (facts.infraStatus === "unhealthy" && !facts.dataPresent) return "lock recreate restore? verify app"
    if (facts.infraStatus !== "healthy") {
      return answers.debugStatus === "fixed"
        ? "lock debug backup? verify app?"
        : "lock debug backup recreate restore? verify app?"
    }
    if (facts.unfinished === "run") {
      if (answers.debugStatus === "fixed") return "lock debug backup? verify app?"
      return facts.dataPresent
        ? "lock debug backup recreate restore? verify app?"
        : "lock debug recreate restore? verify app"
    }
    if (app) return "lock backup? app"
    // While the app waits for a restore the pipeline begins, and refuses: it never says that there is nothing to do.
    return facts.force.length > 0 || facts.unfinished === "restore" ? "lock" : ""
  }
  const jobs = new Set<string>(row().split(" "))
  const choose = (token: string, when: boolean, ...instead: readonly string[]) => {
    if (jobs.delete(token) && when) for (const job of instead) jobs.add(job)
  }
  choose("restore?", answers.restoreNeeded, "restore")
  choose("backup?", facts.migrationsChanged && facts.beforeMigrate && facts.dataPresent, "backup")
  choose("app?", app, "deploy-app", "verify-deploy")
  choose("app", true, "deploy-app", "verify-deploy")
  for (const job of facts.force) jobs.add(job)
  // What is overwritten was backed up by this run, and what was restored is verified.
  if (facts.force.includes("restore")) {
    jobs.add("verify")
    if (facts.dataPresent) jobs.add("backup")
  }
  if (jobs.has("lock")) jobs.add("unlock")
  const order = "lock debug backup recreate restore verify deploy-app verify-deploy unlock".split(" ")
  return order.filter((job) => jobs.has(job))
}

/** Runs the pipeline; `ends` makes one job end otherwise than with success. */
function run(facts: Facts, answers: Answers, ends: Readonly<Partial<Record<JobName, JobResult>>> = {}): string[] {
  const ran: string[] = []
  let progress: Progress = { results: {}, ...answers }
  for (let job = nextJob(facts, progress); job; job = nextJob(facts, progress)) {
    ran.push(job)
    assert.ok(ran.length <= jobNames.length, `no end: ${ran.join(" ")}`)
    progress = { ...progress, results: { ...progress.results, [job]: ends[job] ?? "success" } }
  }
  return ran
}

const everyAnswer: readonly Answers[] = (["fixed", "failed"] as const).flatMap((debugStatus) =>
  [true, false].map((needed) => ({ debugStatus, restoreNeeded: needed })),
)

describe("the decision", () => {
  test("runs the jobs of the matrix for every combination of facts and answers", () => {
    for (const facts of allFacts()) {
      for (const answers of everyAnswer) {
        assert.deepEqual(run(facts, answers), expectedJobs(facts, answers), JSON.stringify({ facts, answers }))
      }
    }
  })

  test("runs nothing but unlock after a job that failed or was cancelled", () => {
    for (const facts of allFacts()) {
      const whole = run(facts, { debugStatus: "failed", restoreNeeded: true })
      for (const [index, job] of whole.entries()) {
        if (job === "unlock") continue
        for (const result of ["failure", "cancelled"] as const) {
          const ran = run(facts, { debugStatus: "failed", restoreNeeded: true }, { [job]: result })
          assert.deepEqual(ran, [...whole.slice(0, index + 1), "unlock"], `${job} ${result}`)
        }
      }
    }
  })

  test("touches data only after a backup of this run, or where there is none", () => {
    for (const facts of allFacts()) {
      for (const answers of everyAnswer) {
        const ran = run(facts, answers)
        for (const job of ["recreate", "restore"]) {
          if (!ran.includes(job) || !facts.dataPresent) continue
          assert.ok(ran.includes("backup") && ran.indexOf("backup") < ran.indexOf(job), JSON.stringify(facts))
        }
      }
    }
    const facts = { ...healthy, infraChanged: true }
    assert.equal(shouldRun("recreate", facts, { results: { lock: "success", backup: "skipped" } }), false)
  })

  test("does not take a missing answer for no", () => {
    const broken: Facts = { ...healthy, infraStatus: "unhealthy" }
    const afterDebug: Progress = { results: { lock: "success", debug: "success" } }
    assert.throws(() => nextJob(broken, afterDebug), { code: "answer-empty", message: /debug-status/ })
    const afterRecreate: Progress = { results: { lock: "success", backup: "success", recreate: "success" } }
    assert.throws(() => nextJob({ ...healthy, infraChanged: true }, afterRecreate), {
      code: "answer-empty",
      message: /restore-needed/,
    })
  })

  test("plans the jobs before any has run", () => {
    assert.deepEqual(plannedJobs(healthy), [])
    assert.deepEqual(plannedJobs({ ...healthy, appChanged: true }), ["lock", "deploy-app", "verify-deploy", "unlock"])
    assert.deepEqual(plannedJobs({ ...healthy, infraStatus: "missing" }).slice(0, 4), [
      "lock",
      "debug",
      "backup",
      "recreate",
    ])
  })

  test("names its rule", () => {
    assert.equal(ruleFor(healthy), "nothing-to-do")
    assert.equal(ruleFor({ ...healthy, force: ["verify"] }), "forced")
    assert.equal(ruleFor({ ...healthy, force: ["recreate"] }), "infra-changed")
    assert.equal(ruleFor({ ...healthy, unfinished: "run" }), "unfinished")
    assert.equal(ruleFor({ ...healthy, infraStatus: "missing", dataPresent: false }), "infra-lost")
  })

  test("covers what a person can ask for", () => {
    for (const job of forcibleJobs)
      assert.ok(run({ ...healthy, force: [job] }, { debugStatus: "fixed", restoreNeeded: false }).includes(job))
  })
})

test("a restore follows a recreation only over changed data, or where the policy says always", () => {
  assert.equal(restoreNeeded("needed", { dataIntact: true, backupMade: true }), false)
  assert.equal(restoreNeeded("needed", { dataIntact: false, backupMade: true }), true)
  assert.equal(restoreNeeded("always", { dataIntact: true, backupMade: true }), true)
  assert.equal(restoreNeeded("always", { dataIntact: true, backupMade: false }), false)
})

const healthy: Facts = {
  infraChanged: false,
  appChanged: false,
  migrationsChanged: false,
  infraStatus: "healthy",
  dataPresent: true,
  unfinished: "no",
  beforeMigrate: true,
  force: [],
}
