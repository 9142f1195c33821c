import { spawn } from "node:child_process"
import type { Work } from "../../src/host/work.ts"
import { Secret } from "../../src/shell/secret.ts"

/** The shells that a host may have as its `sh`. */
export const shells = [["dash"], ["bash", "--posix"], ["busybox", "sh"]] as const

/** A `Work` that runs each step in the given shell here, to show that its script means the same in all of them. */
export function shellWork([program, ...words]: readonly [string, ...string[]]): Work {
  return {
    dryRun: false,
    id: `shell-${process.pid}-${Math.random().toString(36).slice(2, 8)}`,
    step: (name, command, { input } = {}) =>
      new Promise((resolve, reject) => {
        const child = spawn(program, [...words, "-c", command.text])
        const out: Buffer[] = []
        const err: Buffer[] = []
        child.stdout.on("data", (chunk: Buffer) => out.push(chunk))
        child.stderr.on("data", (chunk: Buffer) => err.push(chunk))
        child.on("error", reject)
        child.on("close", (code) => {
          const stdout = Buffer.concat(out).toString()
          const stderr = Buffer.concat(err).toString()
          if (code === 0) resolve({ command, code, stdout, stderr, duration: 0 })
          else reject(new Error(`${program}: ${name} ended with ${code}: ${stderr}`))
        })
        child.stdin.on("error", () => undefined) // It may end without reading: its exit code tells.
        child.stdin.end(input instanceof Secret ? input.reveal() : typeof input === "string" ? input : "")
      }),
    check: (_name, observe) => observe(),
  }
}
