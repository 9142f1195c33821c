import { spawnSync } from "node:child_process"
import type { WorkflowJob } from "./workflow.ts"

export interface GuardRun {
  readonly job: string
  /** Name of the step. */
  readonly step: string
  /** Values by the name of the output or input that the step's environment takes them from. */
  readonly values: Readonly<Record<string, string>>
}

/** Runs a step's script as it stands in the workflow in a real `sh -e`; whether it lets the job go on. */
export function runGuard(jobs: readonly WorkflowJob[], { job, step, values }: GuardRun): boolean {
  const { run, env } = stepOf(jobs, job, step)
  const given = Object.entries(env).map(([name, expression]) => {
    const source = /^(?:needs\.[\w-]+\.outputs|inputs)\.([\w-]+)$/.exec(expression)?.[1] ?? ""
    if (!(source in values)) throw new Error(`${name} is taken from ${expression}, which the test does not give`)
    return [name, values[source] ?? ""]
  })
  const { status, stdout } = spawnSync("sh", ["-e", "-c", run], {
    env: { PATH: process.env.PATH ?? "", ...Object.fromEntries(given) },
    encoding: "utf8",
  })
  if ((status === 0) === stdout.includes("::error")) throw new Error(`exit code ${status}, but it says: ${stdout}`)
  return status === 0
}

function stepOf(jobs: readonly WorkflowJob[], id: string, name: string): { run: string; env: Record<string, string> } {
  const job = jobs.find((one) => one.id === id)
  const steps = (job?.source.steps ?? []) as readonly { name?: unknown; run?: unknown; env?: Iterable<unknown> }[]
  const step = steps.find((one) => String(one.name) === name)
  if (!step?.run) throw new Error(`job ${id} has no step "${name}"`)
  return { run: String(step.run), env: envOf(step.env) }
}

function envOf(env: unknown): Record<string, string> {
  const pairs = [...(env as Iterable<{ key: unknown; value: { expression?: string } }>)]
  return Object.fromEntries(pairs.map(({ key, value }) => [String(key), (value.expression ?? "").trim()]))
}
