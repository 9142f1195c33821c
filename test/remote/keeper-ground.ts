import assert from "node:assert/strict"
import { existsSync, mkdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { type Piece, readVerdict, startCommand } from "../../src/host/keeper.ts"
import { remoteCall } from "../../src/remote/call.ts"
import type { Command } from "../../src/shell/command.ts"
import { folder, processesNaming, runIn, type Shell } from "./shells.ts"

/** Folders for pieces of detached work, and what a test asks of them. To be removed at the end. */
export function keeperGround() {
  const root = folder()
  let count = 0
  return {
    remove: () => root.remove(),
    piece(shell: Shell, changes: Partial<Piece> = {}): Piece {
      count += 1
      const base = join(root.path, `${shell.name}-${count}`)
      const lock = join(base, "lock")
      mkdirSync(lock, { recursive: true })
      return {
        folder: join(base, "work", `run-1-step-${count}`),
        run: "run-1",
        step: "step",
        journal: join(base, "journal.jsonl"),
        lock,
        claim: 1,
        ttl: 600_000,
        limit: 60_000,
        ...changes,
      }
    },
  }
}

/** Runs a piece of work to its end, followed. */
export async function run(shell: Shell, work: Piece, script: Command, input?: string) {
  const bytes = input === undefined ? undefined : Buffer.byteLength(input)
  const ended = await runIn(shell, startCommand(work, script, bytes), input)
  return { ...ended, ...readVerdict(ended.stderr), journal: journal(work) }
}

function journal(work: Piece): readonly string[] {
  if (!existsSync(work.journal)) return []
  const lines = readFileSync(work.journal, "utf8").trimEnd().split("\n")
  return lines.map((line) => {
    const { time, run, step, state, code } = JSON.parse(line)
    assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    return [run, step, state, ...(code === undefined ? [] : [code])].join(" ")
  })
}

/** Waits until it holds; half a minute at most unless told. */
export async function until(what: string, holds: () => boolean, milliseconds = 30_000): Promise<void> {
  for (const end = Date.now() + milliseconds; !holds(); await sleep(20))
    assert.ok(Date.now() < end, `did not happen in ${milliseconds} ms: ${what}`)
}

/** Calls one of the keeper's functions. */
export const call = (shell: Shell, name: string, ...args: readonly (string | number)[]) =>
  runIn(shell, remoteCall("keeper", "change", { name, args }))
/** Waits until no process of it is left. */
export const gone = (work: Piece) =>
  until(`nobody left of ${work.folder}`, () => processesNaming(work.folder).length === 0)
