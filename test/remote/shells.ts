import { execFileSync, spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Command } from "../../src/shell/command.ts"

/** A shell under test: its folder comes first in PATH, so that whatever the scripts call `sh` is that shell too. */
export interface Shell {
  readonly name: string
  readonly path: string
  /** What stands behind its folder in PATH. */
  readonly rest: string
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** The shells that hosts have as `sh`. bash called as `sh` is bash in POSIX mode; with busybox there is nothing but its applets. */
export const shells: readonly Shell[] = ["dash", "bash", "busybox"].map((name) => {
  const path = join(tmpdir(), `infra-actions-shells-${process.getuid?.() ?? 0}`, name)
  mkdirSync(path, { recursive: true })
  const alone = name === "busybox"
  const programs = alone ? execFileSync("busybox", ["--list"], { encoding: "utf8" }).trim().split("\n") : ["sh"]
  for (const program of programs) {
    try {
      symlinkSync(`/usr/bin/${name}`, join(path, program))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error // an earlier test made it
    }
  }
  return { name, path, rest: alone ? "" : ":/usr/bin:/bin" }
})

/** Starts `sh -c` with the command's text; `group` makes it a process group that can be killed whole, as sshd does. */
export function startIn(shell: Shell, command: Command) {
  return spawn(join(shell.path, "sh"), ["-c", command.text], {
    detached: true,
    env: { ...process.env, PATH: `${shell.path}${shell.rest}`, LC_ALL: "C" },
  })
}

/** Runs a command in a shell to its end. */
export async function runIn(shell: Shell, command: Command, input = ""): Promise<Ended> {
  const child = startIn(shell, command)
  const text = { stdout: "", stderr: "" }
  child.stdout.on("data", (chunk) => {
    text.stdout += chunk
  })
  child.stderr.on("data", (chunk) => {
    text.stderr += chunk
  })
  child.stdin.on("error", () => {}) // a command need not read its input
  child.stdin.end(input)
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve))
  return { code, ...text }
}

/** A new empty folder, and how to remove it. */
export function folder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "infra-actions-"))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** Command lines of the living processes that name `text`; zombies are dead. */
export function processesNaming(text: string): readonly string[] {
  return readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return []
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")
      return line.includes(text) ? [`${pid} ${line.slice(0, 200)}`] : []
    } catch {
      return [] // it ended while we looked
    }
  })
}
