import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import type { PublishedGround } from "../published/ground.ts"
import { shellBlocks } from "../support/shell-blocks.ts"

const root = join(import.meta.dirname, "../..")

/** The lines of a page's shell blocks, without their remarks. */
export function commandsOf(page: string): readonly string[] {
  return shellBlocks(readFileSync(join(root, page), "utf8"))
    .flatMap((block) => block.split("\n"))
    .map((line) => line.replace(/ +#.*$/, ""))
    .filter((line) => line !== "")
}

const alias = commandsOf("README.md").find((one) => one.startsWith("alias infra-actions=")) ?? ""

interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a line as somebody's shell does who has typed the README's alias, with the published tree as the checkout. */
export async function typed({ bed, tree, consumer }: PublishedGround, line: string): Promise<Ran> {
  const child = spawn("sh", ["-c", `${alias.replace("/path/to/infra-actions", tree.path)}\n${line}`], {
    cwd: consumer.directory,
    env: {
      PATH: process.env.PATH,
      USER: "somebody",
      SSH_KEY_FILE: bed.ssh.keyPath,
      SSH_KNOWN_HOSTS_FILE: bed.ssh.knownHostsPath,
      S3_ACCESS_KEY_ID: bed.s3.accessKeyId,
      S3_SECRET_ACCESS_KEY: bed.s3.secretAccessKey,
    },
  })
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve))
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended])
  return { code, stdout, stderr }
}
