import { execFile } from "node:child_process"
import { existsSync, readdirSync, readFileSync, rmSync, statfsSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { promisify } from "node:util"
import { type Ground, stateOf } from "./ground.ts"
import { postgresMajor, runningImages } from "./look.ts"
import type { Ended } from "./tool.ts"

const run = promisify(execFile)

export const faultNames = [
  "SIGINT",
  "SIGTERM",
  "SIGKILL",
  "ssh-cut",
  "worker-kill",
  "disk-full",
  "dockerd-restart",
] as const
export type FaultName = (typeof faultNames)[number]

/** Where a fault strikes. */
export interface Target {
  readonly ground: Ground
  readonly step: string
  signal(name: NodeJS.Signals): void
}

export interface Fault {
  /** Whether the fault came to pass: false when what it strikes was gone already. */
  strike(target: Target): Promise<boolean>
  /** Takes the cause away, once the action has ended. */
  heal?(ground: Ground): Promise<void>
  /** What is wrong with how the action ended, one line each. */
  judge(ended: Ended): readonly string[]
  /** Only steps that run detached on the host can be struck. */
  readonly detachedOnly?: boolean
}

/** Seconds within which a cancelled action has to be gone, two and what a busy machine takes: the runner's next signal comes after 7.5. */
const leaving = 5
/** Seconds for which the host refuses connections: the action has looked for it some times by then. */
const outage = 4

/** The ways in which a run can be struck. */
export const faults: Readonly<Record<FaultName, Fault>> = {
  SIGINT: {
    strike: ({ signal }) =>
      signals(signal, [
        ["SIGINT", 7500],
        ["SIGTERM", 2500],
        ["SIGKILL", 0],
      ]),
    judge: leftInTime,
  },
  SIGTERM: {
    strike: ({ signal }) =>
      signals(signal, [
        ["SIGTERM", 2500],
        ["SIGKILL", 0],
      ]),
    judge: leftInTime,
  },
  SIGKILL: {
    strike: ({ signal }) => signals(signal, [["SIGKILL", 0]]),
    judge: ({ code }) => (code === null ? [] : [`it ended with exit code ${code} although it was killed`]),
  },
  "ssh-cut": {
    async strike({ ground: { way } }) {
      await way.cut()
      await pause(outage * 1000)
      await way.mend()
      return true
    },
    judge: (ended) => (ended.code === 0 ? [] : [`the connection came back, and it ended with ${tell(ended)}`]),
  },
  "worker-kill": {
    detachedOnly: true,
    strike: ({ ground, step }) => killWorker(ground, step),
    judge(ended) {
      if (ended.code === 2 && /step-cut|was cut on the host/.test(`${ended.outputs.reason} ${ended.log}`)) return []
      return [`its worker was killed, and it ended with ${tell(ended)}`]
    },
  },
  "disk-full": {
    async strike({ ground }) {
      await fillDisk(ground)
      return true
    },
    async heal(ground) {
      for (const part of ["most", "rest"] as const) rmSync(filler(ground, part), { force: true })
      await recovered(ground)
    },
    // A step that needs no room may still do its work.
    judge: (ended) =>
      [0, 1, 2].includes(ended.code ?? -1) ? [] : [`the disk was full, and it ended with ${tell(ended)}`],
  },
  "dockerd-restart": {
    async strike() {
      await restartEngine()
      return true
    },
    judge: (ended) =>
      [0, 1, 2].includes(ended.code ?? -1) ? [] : [`dockerd was restarted, and it ended with ${tell(ended)}`],
  },
}

/** Restarts the Docker engine that `script/setup` has started. */
export async function restartEngine(): Promise<void> {
  await run(join(import.meta.dirname, "../testbed/restart-engine"), { timeout: 300_000 })
}

/** One after the other, each with the milliseconds that the runner then waits. */
async function signals(
  send: Target["signal"],
  sequence: readonly (readonly [NodeJS.Signals, number])[],
): Promise<boolean> {
  let at = 0
  for (const [name, wait] of sequence) {
    if (at === 0) send(name)
    // Not waited for: an action that has left is sent nothing more.
    else setTimeout(() => send(name), at).unref()
    at += wait
  }
  return true
}

function leftInTime(ended: Ended): readonly string[] {
  const { code, after = 0 } = ended
  return [
    ...(after <= leaving ? [] : [`it was still there ${after.toFixed(1)} s after it was told to leave`]),
    ...(code === null ? ["it had to be killed"] : []),
  ]
}

/** Kills the process group of the step's work on the host: what it has started inside containers goes on. */
async function killWorker(ground: Ground, step: string): Promise<boolean> {
  const slug = step.replace(/[^A-Za-z0-9._-]+/g, "_").slice(0, 80)
  const work = join(stateOf(ground), "work")
  for (const end = Date.now() + 3000; Date.now() < end; await pause(5)) {
    // The newest by its number: an earlier step of this run may have had the same name.
    const folder = readdirSync(work)
      .filter((name) => name.endsWith(`-${slug}`) || name.includes(`-${slug.replace(/old-backup$/, "")}backup-`))
      .map((name) => join(work, name))
      .find((path) => existsSync(join(path, "job")) && !existsSync(join(path, "rc")))
    if (folder && kill(folder)) return true
  }
  return false
}

function kill(folder: string): boolean {
  try {
    const [pid] = readFileSync(join(folder, "pid"), "utf8").split(" ")
    process.kill(-Number(pid), "SIGKILL")
    return !existsSync(join(folder, "rc"))
  } catch {
    return false // not started yet, or ended by now
  }
}

/** Bytes that are filled last: to fill little takes so little time that nobody else writes meanwhile. */
const rest = 16 * 1024 * 1024

async function fillDisk(ground: Ground): Promise<void> {
  const free = () => {
    const { bavail, bsize } = statfsSync(ground.stack.baseDir)
    return bavail * bsize
  }
  await take(filler(ground, "most"), () => free() - rest)
  await take(filler(ground, "rest"), free)
}

/** What was free a moment ago may be too much by now. */
async function take(file: string, bytes: () => number): Promise<void> {
  for (let tries = 1; bytes() > 0; tries += 1) {
    try {
      await run("fallocate", ["--length", String(bytes()), file])
      return
    } catch (error) {
      if (tries === 20) throw error
    }
  }
}

/** A database that has fallen over for want of room recovers by itself, in a minute at most: nobody runs anything before. */
async function recovered(ground: Ground): Promise<void> {
  for (const end = Date.now() + 60_000; Date.now() < end; await pause(500)) {
    const isUp = await postgresMajor(ground).then(
      () => true,
      () => false, // stopped by the struck run, or not there yet
    )
    if (isUp || runningImages(ground, ["postgres"]).length === 0) return
  }
}

function filler({ stack }: Ground, part: "most" | "rest"): string {
  return join(stack.baseDir, `.full-${part}`)
}

function tell({ code, outputs, log }: Ended): string {
  return `exit code ${code}, ${outputs.reason}: ${log.split("\n").slice(-6).join(" | ")}`
}
