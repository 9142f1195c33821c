import { execFile } from "node:child_process"
import { copyFileSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"

const run = promisify(execFile)
const model = join(import.meta.dirname, "lock.pml")

/** What Spin found after it had looked at every state of the model. */
export interface Verification {
  readonly errors: number
  readonly states: number
  /** The first error, such as `assertion violated (inside==1)`; empty without one. */
  readonly error: string
}

/** How often each thing goes wrong in the model, and which mutation it has: its `#define`s. */
export type Settings = Readonly<Record<string, number>>

/**
 * Verifies the model whole. `safety`: no assertion fails and nobody is left waiting for ever. `progress`: besides, no
 * behaviour goes round in circles, so every one comes to its end. Throws when the search was not complete.
 */
export async function verify(settings: Settings, kind: "safety" | "progress" = "safety"): Promise<Verification> {
  const cwd = mkdtempSync(join(tmpdir(), "infra-actions-model-"))
  try {
    copyFileSync(model, join(cwd, "lock.pml"))
    const defines = Object.entries(settings).map(([name, value]) => `-D${name}=${value}`)
    await run("spin", [...defines, "-a", "lock.pml"], { cwd })
    const mode = kind === "safety" ? "-DSAFETY" : "-DNP"
    await run("gcc", ["-O1", mode, "-DCOLLAPSE", "-DMEMLIM=3000", "-w", "-o", "pan", "pan.c"], { cwd })
    const search = ["-m200000", ...(kind === "safety" ? [] : ["-l"])]
    const { stdout } = await run("./pan", search, { cwd, timeout: 600_000, maxBuffer: 16 * 1024 * 1024 })
    return read(stdout)
  } finally {
    rmSync(cwd, { recursive: true, force: true })
  }
}

function read(output: string): Verification {
  const errors = Number(/errors: (\d+)/.exec(output)?.[1] ?? Number.NaN)
  const states = Number(/^\s*(\d+) states, stored/m.exec(output)?.[1] ?? Number.NaN)
  const error = /^pan:1: (.*) \(at depth/m.exec(output)?.[1] ?? ""
  const whole = errors > 0 || !/Search not completed|max search depth too small|MEMLIM/.test(output)
  if (!whole || Number.isNaN(errors + states)) throw new Error(`the search was not complete:\n${output.slice(0, 2000)}`)
  return { errors, states, error }
}
