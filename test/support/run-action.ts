import { spawn } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"
import { parse } from "yaml"

const root = resolve(import.meta.dirname, "../..")

export interface RunActionOptions {
  readonly inputs?: Readonly<Record<string, string>>
  /** More variables; what the runner sets can be replaced. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** The checkout; an empty folder unless told. */
  readonly workspace?: string
  readonly event?: { readonly name: string; readonly payload: unknown }
  /** Root of a published tree; the sources' own `actions/` unless told. */
  readonly tree?: string
  /** Signals to send, with the milliseconds after the start. */
  readonly signals?: readonly { readonly signal: NodeJS.Signals; readonly after: number }[]
  /** Sees standard output and standard error as they come, and may end the process. */
  readonly onOutput?: (text: string, kill: (signal: NodeJS.Signals) => void) => void
}

export interface ActionRun {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** Standard output and standard error as they came: the runner reads both. */
  readonly log: string
  readonly outputs: Readonly<Record<string, string>>
  readonly state: Readonly<Record<string, string>>
  readonly summary: string
  /** Values that the runner was told to hide. */
  readonly masked: readonly string[]
  /** Milliseconds. */
  readonly duration: number
  /** Runs the action's post step with the state that main saved; undefined for an action without one. */
  post(): Promise<ActionRun> | undefined
}

/** Runs a built action in a process of its own as the runner does: inputs and files by environment, main, then post. */
export async function runAction(name: string, options: RunActionOptions = {}): Promise<ActionRun> {
  return runPart(name, "main", { ...options, state: {} })
}

/** Runs one program of an action, built or from the sources, as a step without post. */
export async function runEntry(file: string, options: RunActionOptions = {}): Promise<ActionRun> {
  return runStep({ ...options, file, state: {} })
}

async function runPart(
  name: string,
  part: "main" | "post",
  options: RunActionOptions & { readonly state: Readonly<Record<string, string>> },
): Promise<ActionRun> {
  const { file, defaults, hasPost } = metadata(name, part, options.tree)
  const run = await runStep({ ...options, file, inputs: { ...defaults, ...options.inputs } })
  const post = () => runPart(name, "post", { ...options, state: run.state, signals: [] })
  return { ...run, post: () => (hasPost && part === "main" ? post() : undefined) }
}

interface Step extends RunActionOptions {
  readonly file: string
  readonly state: Readonly<Record<string, string>>
}

async function runStep(step: Step): Promise<ActionRun> {
  const folder = mkdtempSync(join(tmpdir(), "infra-actions-run-"))
  try {
    const files = prepare(folder, step)
    const env = { ...files.env, ...inputVariables(step.inputs ?? {}), ...stateVariables(step.state) }
    const start = performance.now()
    const ended = await finished(step.file, { ...env, ...step.env }, { ...step, cwd: files.workspace })
    return {
      ...ended,
      outputs: readPairs(files.env.GITHUB_OUTPUT),
      state: { ...step.state, ...readPairs(files.env.GITHUB_STATE) },
      summary: readFileSync(files.env.GITHUB_STEP_SUMMARY, "utf8"),
      masked: [...ended.log.matchAll(/^::add-mask::(.*)$/gm)].map(([, value]) => decode(String(value))),
      duration: performance.now() - start,
      post: () => undefined,
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function metadata(name: string, part: "main" | "post", tree: string | undefined) {
  const path = join(tree ?? join(root, "actions"), name, "action.yml")
  const { runs, inputs } = parse(readFileSync(path, "utf8")) as {
    runs: { main: string; post?: string }
    inputs: Record<string, { default?: string }>
  }
  const defaults = Object.entries(inputs).map(([key, { default: text }]) => [key, text ?? ""] as const)
  return {
    file: join(dirname(path), part === "main" ? runs.main : (runs.post ?? "")),
    defaults: Object.fromEntries(defaults),
    hasPost: runs.post !== undefined,
  }
}

function prepare(folder: string, { workspace = folder, event }: RunActionOptions) {
  const file = (name: string, content = "") => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  }
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    GITHUB_ACTIONS: "true",
    GITHUB_WORKSPACE: workspace,
    GITHUB_OUTPUT: file("output"),
    GITHUB_STATE: file("state"),
    GITHUB_ENV: file("env"),
    GITHUB_PATH: file("path"),
    GITHUB_STEP_SUMMARY: file("summary"),
    GITHUB_EVENT_PATH: file("event.json", JSON.stringify(event?.payload ?? {})),
    GITHUB_EVENT_NAME: event?.name ?? "workflow_dispatch",
    GITHUB_RUN_ID: "4711",
    GITHUB_RUN_ATTEMPT: "1",
    GITHUB_ACTOR: "test",
    GITHUB_SERVER_URL: "https://github.com",
    GITHUB_REPOSITORY: "org/app",
    GITHUB_SHA: "0123456789012345678901234567890123456789",
  }
  return { env, workspace }
}

/** The runner upper-cases names and keeps hyphens; an input that is absent is there and empty. */
function inputVariables(inputs: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]))
}

function stateVariables(state: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(state).map(([name, value]) => [`STATE_${name}`, value]))
}

async function finished(
  file: string,
  env: Readonly<Record<string, string | undefined>>,
  { signals = [], onOutput, cwd }: RunActionOptions & { readonly cwd: string },
): Promise<Pick<ActionRun, "code" | "signal" | "log">> {
  const child = spawn(process.execPath, [file], { env: { ...env }, cwd, stdio: ["ignore", "pipe", "pipe"] })
  let log = ""
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      log += text
      onOutput?.(text, (signal) => void child.kill(signal))
    })
  const timers = signals.map(({ signal, after }) => setTimeout(() => child.kill(signal), after))
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((done, failed) => {
    child.once("error", failed)
    child.once("close", (exitCode, exitSignal) => done([exitCode, exitSignal]))
  })
  for (const timer of timers) clearTimeout(timer)
  return { code, signal, log }
}

/** `name<<delimiter`, lines, `delimiter`; or `name=value`. The last value of a name stands. */
function readPairs(path: string): Record<string, string> {
  const pairs: Record<string, string> = {}
  const lines = readFileSync(path, "utf8").split("\n")
  for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
    const [, name, delimiter] = /^([^=]+?)<<(.+)$/.exec(line) ?? []
    if (name !== undefined && delimiter !== undefined) {
      const end = lines.indexOf(delimiter)
      if (end < 0) throw new Error(`${name} has no end in ${path}`)
      pairs[name] = lines
        .splice(0, end + 1)
        .slice(0, -1)
        .join("\n")
    } else if (line.includes("=")) pairs[line.slice(0, line.indexOf("="))] = line.slice(line.indexOf("=") + 1)
  }
  return pairs
}

function decode(value: string): string {
  return value.replaceAll("%0A", "\n").replaceAll("%0D", "\r").replaceAll("%25", "%")
}
