import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { text } from "node:stream/consumers"

/** A place in an action's run: the `nth` time that it announces a step of this name. */
export interface Moment {
  readonly step: string
  readonly nth: number
}

/** When the action is killed: at the moment, or so many milliseconds after it. */
export interface Kill extends Moment {
  readonly delay: number
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
}

export interface ToolPlace {
  /** The command line's bundle. */
  readonly program: string
  /** The consumer's checkout. */
  readonly directory: string
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Runs an action to its end, or to the moment where SIGKILL ends it. */
export async function runTool(place: ToolPlace, words: readonly string[], kill?: Kill): Promise<Ended> {
  const began = performance.now()
  const { program, directory: cwd, env } = place
  const child = spawn(process.execPath, [program, ...words, "--json"], { cwd, env, stdio: ["ignore", "pipe", "pipe"] })
  const closed = new Promise<number | null>((resolve) => child.on("close", resolve))
  const moments: Moment[] = []
  const lines: string[] = []
  createInterface(child.stderr).on("line", (line) => {
    lines.push(line)
    if (!line.startsWith("▸ ")) return
    const moment = next(moments, line.slice(2))
    moments.push(moment)
    if (kill?.step !== moment.step || kill.nth !== moment.nth) return
    if (kill.delay === 0) child.kill("SIGKILL")
    else setTimeout(() => child.kill("SIGKILL"), kill.delay)
  })
  const [out, code] = await Promise.all([text(child.stdout), closed])
  return {
    code,
    moments,
    outputs: code === null || out === "" ? {} : JSON.parse(out),
    log: lines.join("\n"),
    seconds: (performance.now() - began) / 1000,
  }
}

/** `dump-postgres`, `verify-local (2)`. */
export function momentName({ step, nth }: Moment): string {
  return nth === 1 ? step : `${step} (${nth})`
}

/** A backup's id is another one each time: it is no part of the step's name. */
function next(before: readonly Moment[], line: string): Moment {
  const step = line.replace(/-backup-\d{8}-\d{6}$/, "-old-backup")
  return { step, nth: 1 + before.filter((one) => one.step === step).length }
}
