import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { text } from "node:stream/consumers"

/** A place in an action's run: the `nth` time that it announces a step of this name. */
export interface Moment {
  readonly step: string
  readonly nth: number
}

/** What happens to a run, and when: at the moment, or so many milliseconds after it. */
export interface Blow extends Moment {
  readonly delay: number
  /** SIGKILL unless told. `signal` reaches the action's own process only, as the runner's does. */
  strike?(signal: (name: NodeJS.Signals) => void): void | Promise<void>
  /** Told of every step as it is announced. */
  notice?(step: string): void
}

/** What became of a run of an action. */
export interface Ended {
  /** Null when it was killed. */
  readonly code: number | null
  readonly moments: readonly Moment[]
  readonly outputs: Readonly<Record<string, string | number | boolean>>
  readonly log: string
  /** Seconds. */
  readonly seconds: number
  /** Seconds from the blow to the end; undefined when it never came to that. */
  readonly after: number | undefined
}

export interface ToolPlace {
  /** The command line's bundle. */
  readonly program: string
  /** The consumer's checkout. */
  readonly directory: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Milliseconds after which a run is taken for stuck and killed: its code is then null. */
const patience = 420_000

/** Runs an action to its end, whatever strikes it meanwhile. */
export async function runTool(place: ToolPlace, words: readonly string[], blow?: Blow): Promise<Ended> {
  const began = performance.now()
  const { program, directory: cwd, env } = place
  const child = spawn(process.execPath, [program, ...words, "--json"], { cwd, env, stdio: ["ignore", "pipe", "pipe"] })
  const isOver = () => child.exitCode !== null || child.signalCode !== null
  const watchdog = setTimeout(() => child.kill("SIGKILL"), patience)
  const closed = new Promise<number | null>((resolve) => child.once("close", resolve))
  const ended = new Promise<number>((resolve) => child.once("exit", () => resolve(performance.now())))
  const moments: Moment[] = []
  const lines: string[] = []
  let struck: number | undefined
  let striking: Promise<void> | undefined
  const strike = async (of: Blow) => {
    if (of.delay > 0) await new Promise((resolve) => setTimeout(resolve, of.delay))
    if (isOver()) return
    struck = performance.now()
    const signal = (name: NodeJS.Signals) => void (isOver() || child.kill(name))
    await (of.strike ? of.strike(signal) : signal("SIGKILL"))
  }
  createInterface(child.stderr).on("line", (line) => {
    lines.push(line)
    if (!line.startsWith("▸ ")) return
    const moment = next(moments, line.slice(2))
    moments.push(moment)
    blow?.notice?.(moment.step)
    if (blow?.step === moment.step && blow.nth === moment.nth) striking ??= handled(strike(blow))
  })
  const [out, code, end] = await Promise.all([text(child.stdout), closed, ended])
  clearTimeout(watchdog)
  await striking
  return {
    code,
    moments,
    outputs: code === null || out === "" ? {} : JSON.parse(out),
    log: lines.join("\n"),
    seconds: (end - began) / 1000,
    after: struck === undefined ? undefined : (end - struck) / 1000,
  }
}

/** Awaited when the action has ended, which may be long after it was rejected. */
function handled(promise: Promise<void>): Promise<void> {
  promise.catch(() => undefined)
  return promise
}

/** `dump-postgres`, `verify-local (2)`. */
export function momentName({ step, nth }: Moment): string {
  return nth === 1 ? step : `${step} (${nth})`
}

/** A backup's id and an image's tag are others each time: they are no part of the step's name. */
function next(before: readonly Moment[], line: string): Moment {
  const step = line.replace(/-backup-\d{8}-\d{6}$/, "-old-backup").replace(/^inspect \S+$/, "inspect-image")
  return { step, nth: 1 + before.filter((one) => one.step === step).length }
}
