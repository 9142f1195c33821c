import type { InfraStatus } from "./combine-health.ts"
import { failure } from "./errors.ts"

/** The jobs of a pipeline, in the order in which they may run. */
export const jobNames = [
  "lock",
  "debug",
  "backup",
  "recreate",
  "restore",
  "verify",
  "deploy-app",
  "verify-deploy",
  "unlock",
] as const
export type JobName = (typeof jobNames)[number]

/** Jobs that a person may ask for whatever the facts are. */
export const forcibleJobs = ["backup", "recreate", "restore", "verify", "deploy-app"] as const
export type ForcibleJob = (typeof forcibleJobs)[number]

/**
 * What an earlier run left when it was cut off: nothing, something that the next run finishes, or an app that stays stopped
 * until its data is restored.
 */
export const unfinishedStates = ["no", "run", "restore"] as const
export type Unfinished = (typeof unfinishedStates)[number]

export type JobResult = "success" | "failure" | "cancelled" | "skipped"

/** What is known before the first job that changes anything. */
export interface Facts {
  readonly infraChanged: boolean
  readonly appChanged: boolean
  readonly migrationsChanged: boolean
  readonly infraStatus: InfraStatus
  /** Whether any data volume or directory of a data service holds something. */
  readonly dataPresent: boolean
  readonly unfinished: Unfinished
  /** `backup.before-migrate`. */
  readonly beforeMigrate: boolean
  readonly force: readonly ForcibleJob[]
}

/** What the jobs that have run so far have said. */
export interface Progress {
  readonly results: Readonly<Partial<Record<JobName, JobResult>>>
  /** Of a `debug` that succeeded. */
  readonly debugStatus?: "fixed" | "failed" | undefined
  /** Of a `recreate` that succeeded: whether the data has to be brought back, see `restoreNeeded`. */
  readonly restoreNeeded?: boolean | undefined
}

/** The rows of the decision matrix; a stable code each. */
export const rules = {
  "infra-changed": "infrastructure changed and there is data: back up, recreate, restore what is needed, verify",
  "infra-changed-fresh": "infrastructure changed and there is no data: create it, verify, deploy the app",
  "infra-lost": "infrastructure does not serve and there is no data: create it, verify, deploy the app",
  "infra-broken": "infrastructure does not serve and there is data: debug; where that fails, as if it had changed",
  unfinished: "the infrastructure is healthy, but an earlier run was cut off: finish it, check again, verify",
  "app-changed": "infrastructure is healthy and the app changed: deploy it",
  forced: "nothing changed and the infrastructure is healthy: only what was asked for",
  "nothing-to-do": "nothing changed and the infrastructure is healthy: nothing to do",
} as const
export type Rule = keyof typeof rules

/** The first rule of the matrix that holds. A person's wish for `recreate` or `deploy-app` counts as a change. */
export function ruleFor(facts: Facts): Rule {
  const { infraStatus, dataPresent, unfinished, force } = facts
  if (facts.infraChanged || force.includes("recreate")) return dataPresent ? "infra-changed" : "infra-changed-fresh"
  if (infraStatus !== "healthy") return dataPresent ? "infra-broken" : "infra-lost"
  if (unfinished === "run") return "unfinished"
  if (appWanted(facts)) return "app-changed"
  return force.length > 0 || unfinished === "restore" ? "forced" : "nothing-to-do"
}

/**
 * The jobs that a rule leads to when every job succeeds, in order, before anything has run: what a plan shows. Where
 * it depends on a job's answer, `debug` is taken to fail and the data to need no restore.
 */
export function plannedJobs(facts: Facts): readonly JobName[] {
  const jobs: JobName[] = []
  let progress: Progress = { results: {}, debugStatus: "failed", restoreNeeded: false }
  for (let job = nextJob(facts, progress); job; job = nextJob(facts, progress)) {
    jobs.push(job)
    progress = { ...progress, results: { ...progress.results, [job]: "success" } }
  }
  return jobs
}

/** The job to run now; undefined when the pipeline is at its end. Jobs that were not wanted are absent from `results` or `skipped`. */
export function nextJob(facts: Facts, progress: Progress): JobName | undefined {
  const last = jobNames.findLastIndex((job) => (progress.results[job] ?? "skipped") !== "skipped")
  return jobNames.slice(last + 1).find((job) => shouldRun(job, facts, progress))
}

/**
 * Whether a job runs, given what the jobs before it said. After a failed or cancelled job nothing runs but `unlock`.
 * Throws `failed` `answer-empty` when a job succeeded without the answer that the decision needs: that is never "no".
 */
export function shouldRun(job: JobName, facts: Facts, progress: Progress): boolean {
  const { results } = progress
  const lockTried = (results.lock ?? "skipped") !== "skipped"
  if (job === "unlock") return lockTried
  const earlier = jobNames.slice(0, jobNames.indexOf(job)).map((name) => results[name] ?? "skipped")
  if (earlier.some((result) => result === "failure" || result === "cancelled")) return false
  if (job === "lock") return ruleFor(facts) !== "nothing-to-do"
  return results.lock === "success" && wanted[job](facts, progress)
}

/** Whether `restore` must follow a recreation: `restore-needed` of `recreate`. Volumes survive it, so as a rule it must not. */
export function restoreNeeded(policy: "needed" | "always", recreation: RecreationFacts): boolean {
  const { dataIntact, backupMade } = recreation
  return !dataIntact || (policy === "always" && backupMade)
}

export interface RecreationFacts {
  /** Whether the fingerprint is equal before and after; true for a first creation of what never was there. */
  readonly dataIntact: boolean
  /** Whether this run made a backup: a restore over intact data takes no other one. */
  readonly backupMade: boolean
}

const wanted: Readonly<Record<Exclude<JobName, "lock" | "unlock">, (facts: Facts, progress: Progress) => boolean>> = {
  // Whatever changes the host finishes first what was cut off.
  debug: (facts) => ["infra-broken", "unfinished"].includes(ruleFor(facts)),
  // Without data there is nothing that a backup could hold: the host is proven fresh.
  backup: (facts, progress) =>
    facts.force.includes("backup") ||
    (facts.dataPresent &&
      (recreates(facts, progress) ||
        facts.force.includes("restore") ||
        (facts.migrationsChanged && facts.beforeMigrate))),
  // S1, whatever the rule: with data on the host, only after this run's own backup.
  recreate: (facts, progress) => recreates(facts, progress) && (!facts.dataPresent || succeeded("backup", progress)),
  restore: (facts, progress) =>
    facts.force.includes("restore") ||
    (succeeded("recreate", progress) && answered("restore-needed", progress.restoreNeeded)),
  verify: (facts, progress) =>
    facts.force.includes("verify") ||
    (["debug", "recreate", "restore"] as const).some((job) => succeeded(job, progress)),
  // Whoever creates the infrastructure anew has no app running on it.
  "deploy-app": (facts, progress) => appWanted(facts) || (!facts.dataPresent && succeeded("recreate", progress)),
  "verify-deploy": (_facts, progress) => succeeded("deploy-app", progress),
}

function recreates(facts: Facts, progress: Progress): boolean {
  switch (ruleFor(facts)) {
    case "infra-changed":
    case "infra-changed-fresh":
    case "infra-lost":
      return true
    case "infra-broken":
    case "unfinished":
      return succeeded("debug", progress) && answered("debug-status", progress.debugStatus) === "failed"
    default:
      return false
  }
}

function appWanted({ appChanged, migrationsChanged, force }: Facts): boolean {
  return appChanged || migrationsChanged || force.includes("deploy-app")
}

function succeeded(job: JobName, { results }: Progress): boolean {
  return results[job] === "success"
}

function answered<T>(output: string, value: T | undefined): T {
  if (value !== undefined) return value
  throw failure("answer-empty", `output ${output} is empty although its job succeeded`, {
    hint: "A secret whose value is a common word (such as true) makes outputs vanish: change it, then run again.",
  })
}
