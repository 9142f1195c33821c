import { execFileSync } from "node:child_process"
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { consumerConfiguration, gitIdentity } from "../support/consumer.ts"
import type { Testbed } from "../testbed/testbed.ts"

/** A repository as a user of this suite has it: infra.yml, the compose file, and an app. */
export interface Consumer extends Disposable {
  readonly directory: string
  /** Writes a file and commits it. */
  commit(path: string, content: string): void
  /** Hash of the newest commit. */
  head(): string
}

export function consumerRepository(bed: Testbed): Consumer {
  const directory = mkdtempSync(join(tmpdir(), "infra-actions-consumer-"))
  const git = (...words: readonly string[]) => execFileSync("git", words, { cwd: directory, env: gitIdentity })
  git("init", "--quiet", "--initial-branch=main")
  copyFileSync(join(bed.stack.baseDir, "docker-compose.prod.yml"), join(directory, "docker-compose.prod.yml"))
  const configuration = consumerConfiguration(bed, {
    prefix: `demo-${process.pid}-${Date.now().toString(36)}/`,
    services: { postgres: { "critical-tables": ["public.users", "public.ledger"] } },
    lock: { stale: "5m" },
    thresholds: { "disk-free": 0.02 },
  })
  writeFileSync(join(directory, "infra.yml"), configuration)
  const consumer: Consumer = {
    directory,
    commit(path, content) {
      mkdirSync(dirname(join(directory, path)), { recursive: true })
      writeFileSync(join(directory, path), content)
      git("add", "--all")
      git("commit", "--quiet", "--message", `Change ${path}`)
    },
    head: () => git("rev-parse", "HEAD").toString().trim(),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  }
  consumer.commit("src/app.js", "// version 1\n")
  return consumer
}
