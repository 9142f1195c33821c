import { execFileSync } from "node:child_process"
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import type { Testbed } from "../testbed/testbed.ts"

/** A repository as a user of this suite has it: infra.yml, the compose file, and an app. */
export interface Consumer extends Disposable {
  readonly directory: string
  /** Writes a file and commits it. */
  commit(path: string, content: string): void
  /** Hash of the newest commit. */
  head(): string
}

export function consumerRepository({ stack, ssh, s3 }: Testbed): Consumer {
  const directory = mkdtempSync(join(tmpdir(), "infra-actions-consumer-"))
  const git = (...words: readonly string[]) => execFileSync("git", words, { cwd: directory, env: identity })
  git("init", "--quiet", "--initial-branch=main")
  copyFileSync(join(stack.baseDir, "docker-compose.prod.yml"), join(directory, "docker-compose.prod.yml"))
  writeFileSync(join(directory, "infra.yml"), configuration({ stack, ssh, s3 }))
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

function configuration({ stack, ssh, s3 }: Pick<Testbed, "stack" | "ssh" | "s3">): string {
  return `project: ${stack.project}
host:
  address: ${ssh.address}
  port: ${ssh.port}
  user: ${ssh.user}
  directory: ${stack.baseDir}
compose:
  files: [docker-compose.prod.yml, docker-compose.override.yml]
  upload: [docker-compose.prod.yml]
services:
  postgres:
    critical-tables: [public.users, public.ledger]
app:
  health-url: http://127.0.0.1:${stack.httpPort}/health
  proxy: { service: nginx }
backup:
  s3:
    endpoint: ${s3.endpoint}
    region: ${s3.region}
    bucket: ${s3.bucket}
    prefix: demo-${process.pid}-${Date.now().toString(36)}/
lock:
  stale: 20s
thresholds:
  disk-free: 0.02
`
}

const identity = {
  ...process.env,
  GIT_AUTHOR_NAME: "demo",
  GIT_AUTHOR_EMAIL: "demo@example.org",
  GIT_COMMITTER_NAME: "demo",
  GIT_COMMITTER_EMAIL: "demo@example.org",
}
