import { spawn } from "node:child_process"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import type { Testbed } from "../testbed/testbed.ts"

export type Outputs = Readonly<Record<string, string | number | boolean>>

/** Runs an action of the published tree as a person in the consumer's checkout would, and gives its outputs. */
export type RunTool = (action: string, ...words: readonly string[]) => Promise<Outputs>

/** Rejects, with the whole log, when the action ends with another code than 0. */
export function commandLine(tree: string, directory: string, { ssh, s3 }: Testbed): RunTool {
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    USER: "demo",
    SSH_KEY_FILE: ssh.keyPath,
    SSH_KNOWN_HOSTS_FILE: ssh.knownHostsPath,
    S3_ACCESS_KEY_ID: s3.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
  }
  return async (action, ...words) => {
    const program = join(tree, "dist/cli/index.js")
    const child = spawn(process.execPath, [program, action, "--json", ...words], { cwd: directory, env })
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve))
    const [out, log, code] = await Promise.all([text(child.stdout), text(child.stderr), ended])
    if (process.env.DEMO_LOG) process.stderr.write(log)
    if (code !== 0) throw new Error(`${action} ended with exit code ${code}\n${log}`)
    return JSON.parse(out)
  }
}
