import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"

const root = resolve(import.meta.dirname, "../..")

/** The command line from the sources. */
export const program = join(root, "actions/cli/main.ts")

export interface RunbookOptions {
  readonly project: string
  /** The base directory, which stands where the page says `/opt/PROJECT`. */
  readonly base: string
  /** Where the configuration is; the base directory unless told. */
  readonly directory?: string
  /** More sections of the configuration. */
  readonly config?: Readonly<Record<string, unknown>>
  /** Secrets, as the environment has them. */
  readonly env?: Readonly<Record<string, string>>
  /** Other words of the page and what stands for them here. */
  readonly words?: Readonly<Record<string, string>>
}

export interface Runbook {
  /** Those of the page's blocks, in order. */
  readonly commands: readonly string[]
  /** Runs one of them, which has to succeed; gives what it printed. */
  run(command: string): string
  /** Runs them, each of which has to succeed; gives what the one printed that holds `part`. */
  runAll(): (part: string) => string
}

/** A page of docs/runbooks, made to be followed on this machine as the host. */
export function openRunbook(name: string, options: RunbookOptions): Runbook {
  const { project, base, directory = base, config = {}, words = {}, env = {} } = options
  mkdirSync(join(directory, "bin"), { recursive: true })
  const text = `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`
  writeFileSync(join(directory, "bin/infra-actions"), text, { mode: 0o755 })
  const file = { project, host: { address: "local", directory: base }, ...config }
  writeFileSync(join(directory, "infra.yml"), JSON.stringify(file))
  const page = readFileSync(join(root, `docs/runbooks/${name}.md`), "utf8")
  const blocks = [...page.matchAll(/^ *```sh\n([\s\S]*?)^ *```$/gm)]
  const commands = blocks.flatMap(([, block = ""]) => block.trim().split(/\n */))
  const here = { "/opt/PROJECT": base, PROJECT: project, ...words }
  const run = (command: string) => {
    const line = Object.entries(here).reduce((all, [word, is]) => all.replaceAll(word, is), command)
    const { status, stdout, stderr } = spawnSync("sh", ["-c", line], {
      cwd: directory,
      encoding: "utf8",
      env: { ...env, PATH: `${directory}/bin:${process.env.PATH}`, HOME: directory },
    })
    assert.equal(status, 0, `${line}: ${stdout}${stderr}`)
    return stdout + stderr
  }
  return {
    commands,
    run,
    runAll() {
      const shown = commands.map((command) => [command, run(command)] as const)
      return (part) => shown.find(([command]) => command.includes(part))?.[1] ?? assert.fail(part)
    },
  }
}
