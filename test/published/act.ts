import { spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { text } from "node:stream/consumers"

export interface ActOptions {
  /** The consumer's checkout; its `.github/workflows` are run. */
  readonly directory: string
  /** Published tree that stands for `org/infra-actions@v1`. */
  readonly tree: string
  /** The program. */
  readonly act: string
  readonly event: unknown
  readonly secrets: Readonly<Record<string, string>>
  /** Number of the workflow run. */
  readonly run: string
  /** Milliseconds until it is ended; four minutes unless told. */
  readonly timeout?: number
}

export interface WorkflowRun {
  readonly code: number | null
  /** Results of the jobs that ran, in the order of their start. */
  readonly jobs: ReadonlyMap<string, string>
  /** Outputs of each job's step `action`. */
  readonly outputs: ReadonlyMap<string, Readonly<Record<string, string>>>
  /** What a person reads. Act's machine-readable form, of which this is made, also holds the values to be masked. */
  readonly log: string
}

/** Runs the workflows that a push starts, jobs and all, on this machine; nothing is fetched. */
export async function runAct(options: ActOptions): Promise<WorkflowRun> {
  const home = mkdtempSync(join(tmpdir(), "infra-actions-act-"))
  try {
    const child = spawn(options.act, argumentsOf(options, home), {
      cwd: options.directory,
      env: { HOME: home, PATH: `${dirname(process.execPath)}:${process.env.PATH}` },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: options.timeout ?? 240_000,
    })
    const ended = new Promise<number | null>((resolve, reject) => child.on("close", resolve).on("error", reject))
    const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended])
    return { code, ...read(out, err) }
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

function argumentsOf({ tree, event, secrets, run }: ActOptions, home: string): readonly string[] {
  const file = (name: string, content: string) => {
    const path = join(home, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content, { mode: 0o600 })
    return path
  }
  const lines = Object.entries(secrets).map(([name, value]) => `${name}=${JSON.stringify(value)}\n`)
  return [
    "push",
    "--platform=ubuntu-latest=-self-hosted",
    `--local-repository=org/infra-actions@v1=${tree}`,
    "--action-offline-mode",
    "--no-cache-server",
    "--pull=false",
    "--json",
    `--env=GITHUB_RUN_ID=${run}`,
    `--eventpath=${file("event.json", JSON.stringify(event))}`,
    `--secret-file=${file("secrets", lines.join(""))}`,
  ]
}

/** A line of act's log, as far as it matters here. */
interface Line {
  readonly jobID?: string
  readonly step?: string
  readonly msg?: string
  readonly jobResult?: string
  readonly stepID?: readonly string[]
}

function read(out: string, err: string): Omit<WorkflowRun, "code"> {
  const jobs = new Map<string, string>()
  const outputs = new Map<string, Record<string, string>>()
  const lines = out
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Line)
  for (const { jobID, step, msg = "", jobResult, stepID } of lines) {
    if (jobID === undefined) continue
    if (step === "Set up job" && !jobs.has(jobID)) jobs.set(jobID, "unknown")
    if (jobResult !== undefined && jobs.has(jobID)) jobs.set(jobID, jobResult)
    const [, name, value] = /^ *⚙ +::set-output:: ([a-z0-9-]+)=([\s\S]*)$/.exec(msg) ?? []
    if (name !== undefined && stepID?.[0] === "action")
      outputs.set(jobID, { ...outputs.get(jobID), [name]: value?.trimEnd() ?? "" })
  }
  const told = lines.map(({ jobID = "", msg = "" }) => `${jobID}| ${msg.trimEnd()}`)
  return { jobs, outputs, log: `${told.join("\n")}\n${err}` }
}
