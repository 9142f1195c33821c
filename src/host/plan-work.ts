import type { Command } from "../shell/command.ts"
import type { Work } from "./work.ts"

/**
 * The `Work` of a dry run: each step is shown with its exact command text and taken for done, with the standard
 * output that it was told to assume; each check takes what it was told to assume. Nothing reaches the host.
 */
export function planWork({ id, log }: { readonly id: string; readonly log: (line: string) => void }): Work {
  return {
    dryRun: true,
    id,
    async step(name, command, options = {}) {
      log(`would do ${name}${options.input === undefined ? "" : " (with data on standard input)"}:`)
      for (const line of shown(command)) log(`    ${line}`)
      const stdout = options.assume ?? ""
      for (const line of stdout.split("\n").filter((one) => one !== "")) options.onLine?.(line)
      return { command, code: 0, stdout, stderr: "", duration: 0 }
    },
    async check(name, _observe, assumed) {
      log(`would check ${name}`)
      return assumed
    },
  }
}

function shown(command: Command): readonly string[] {
  return command.text.replace(/\n+$/, "").split("\n")
}
