import {
  type Facts,
  type ForcibleJob,
  type JobName,
  type JobResult,
  nextJob,
  type Progress,
  type Rule,
  restoreNeeded,
  ruleFor,
  rules,
} from "../core/decision.ts"
import { AppError, failure, inputError, messageOf } from "../core/errors.ts"
import type { Manifest } from "../core/manifest.ts"
import { backup } from "./backup.ts"
import { checkInfra } from "./check-infra.ts"
import { debug } from "./debug.ts"
import { type DeployOptions, deployApp } from "./deploy-app.ts"
import { recreate } from "./recreate.ts"
import { describeRung } from "./recreate-result.ts"
import { restore } from "./restore.ts"
import { findBackup } from "./stores.ts"
import type { Tools } from "./tools.ts"
import { passed, verify } from "./verify.ts"
import { assertNotWaiting } from "./writers.ts"

export interface PipelineOptions extends DeployOptions {
  readonly changes: Pick<Facts, "infraChanged" | "appChanged" | "migrationsChanged">
  /** Jobs that a person asked for. */
  readonly force?: readonly ForcibleJob[]
  /** What a forced restore brings back: this run's own backup would bring back nothing. */
  readonly restoreId?: string | undefined
}

export interface JobReport {
  readonly job: JobName
  readonly result: JobResult
  /** Milliseconds. */
  readonly duration: number
  /** One line: what it did, or why it failed. */
  readonly note: string
}

export interface PipelineResult {
  readonly rule: Rule
  readonly reason: string
  readonly jobs: readonly JobReport[]
  /** What stopped the pipeline; undefined when every job it needed succeeded. */
  readonly failure: Error | undefined
  readonly backupId: string | undefined
}

/** What a job says on success: its note, and the answers that the decision needs. */
interface Answer extends Pick<Progress, "debugStatus" | "restoreNeeded"> {
  readonly note: string
  /** The backup that was made; in a dry run what would have been. */
  readonly made?: Manifest
}

/**
 * The whole decision matrix over one connection and under one lock, which the caller holds. Checks the infrastructure,
 * then runs job after job as `core/decision` says until it says no more. Does not throw for a job that failed: the
 * report tells which one, and what ran before it. Before anything ran, throws an input error when a forced restore has no id
 * and refuses while the app waits for a restore.
 */
export async function pipeline(tools: Tools, options: PipelineOptions): Promise<PipelineResult> {
  const restoreId = await chooseRestore(tools, options)
  if (restoreId === undefined) await assertNotWaiting(tools)
  const { status, dataPresent, unfinished, checks } = await checkInfra(tools)
  for (const { name, state, detail } of checks) if (state !== "ok") tools.log.warning(`${name}: ${detail}`)
  const facts: Facts = {
    ...options.changes,
    infraStatus: status,
    dataPresent,
    unfinished,
    beforeMigrate: tools.config.backup["before-migrate"],
    force: options.force ?? [],
  }
  const rule = ruleFor(facts)
  tools.log.info(`Infrastructure is ${status}. ${rules[rule]}`)

  const jobs: JobReport[] = []
  let progress: Progress = { results: { lock: "success" } }
  let made: Manifest | undefined
  let failed: Error | undefined
  for (let job = nextJob(facts, progress); job && job !== "unlock"; job = nextJob(facts, progress)) {
    const start = tools.clock.now().getTime()
    const name = job
    const ended = await tools.log.group(name, () => attempt(() => runJob(name, tools, { ...options, restoreId, made })))
    const result = "error" in ended ? (tools.signal.aborted ? "cancelled" : "failure") : "success"
    const note = "error" in ended ? messageOf(ended.error) : ended.note
    jobs.push({ job, result, duration: tools.clock.now().getTime() - start, note })
    tools.log.info(`${job}: ${result}: ${note}`)
    if ("error" in ended) failed = ended.error
    else {
      made = ended.made ?? made
      progress = { ...progress, ...ended }
    }
    progress = { ...progress, results: { ...progress.results, [job]: result } }
  }
  return { rule, reason: rules[rule], jobs, failure: failed, backupId: tools.work.dryRun ? undefined : made?.id }
}

/** Decided before this run makes a backup of its own, which would then be the latest. */
async function chooseRestore(tools: Tools, { force, restoreId }: PipelineOptions): Promise<string | undefined> {
  if (!force?.includes("restore")) return undefined
  if (restoreId !== undefined) return (await findBackup(tools, restoreId, "auto", { services: "all" })).manifest.id
  throw inputError("restore-what", "force: restore needs the id of the backup to bring back", {
    hint: "Give it as backup-id, or latest for the newest one before this run.",
  })
}

type JobOptions = PipelineOptions & { readonly made: Manifest | undefined }

async function runJob(job: JobName, tools: Tools, options: JobOptions): Promise<Answer> {
  switch (job) {
    case "debug": {
      const { status, fixes } = await debug(tools)
      return { note: `${status}${fixes.length > 0 ? `: ${fixes.join(", ")}` : ""}`, debugStatus: status }
    }
    case "backup": {
      const { manifest, status } = await backup(tools)
      return { note: tools.work.dryRun ? "none made" : `${manifest.id}, ${status}`, made: manifest }
    }
    case "recreate":
      return recreateJob(tools, options)
    case "restore": {
      const backupId = options.restoreId ?? options.made?.id ?? "latest"
      const done = await restore(tools, { backupId })
      return { note: `${done.backupId} from ${done.source}: ${done.rows} rows, ${done.keys} keys` }
    }
    case "deploy-app":
      return { note: (await deployApp(tools, options)).releaseId }
    case "verify":
    case "verify-deploy":
      return verifyJob(tools)
    case "lock":
    case "unlock":
      throw failure("not-a-job", `${job} is the caller's`)
  }
}

async function recreateJob(tools: Tools, { made, endSessions }: JobOptions): Promise<Answer> {
  const proof = made === undefined ? {} : { backupId: made.id, planned: made }
  const done = await recreate(tools, { ...proof, endSessions })
  if (done.status === "rolled-back")
    throw failure("rolled-back", `${done.cause}; ${describeRung(done.rung)}`, {
      hint: "Look at the container's log above, fix the image or its configuration, and push again.",
    })
  const dataIntact = done.differences.length === 0
  const policy = tools.config.restore.policy
  const note = dataIntact ? `${done.status}, data is the same` : `${done.status}, data differs`
  return { note, restoreNeeded: restoreNeeded(policy, { dataIntact, backupMade: made !== undefined }) }
}

async function verifyJob(tools: Tools): Promise<Answer> {
  const { status, sections } = await verify(tools)
  const checks = Object.values(sections).flat()
  const bad = checks.filter((check) => !passed(check)).map((check) => `${check.name}: ${check.detail}`)
  if (status === "failed") throw failure("verification-failed", bad.join("; "))
  return { note: `${checks.length} checks` }
}

async function attempt(run: () => Promise<Answer>): Promise<Answer | { readonly error: Error }> {
  try {
    return await run()
  } catch (error) {
    // A bug of ours is not a failed job: it must surface with its stack.
    if (error instanceof AppError) return { error }
    throw error
  }
}
