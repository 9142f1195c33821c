import { spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { freePort } from "../support/free-port.ts"
import type { S3Server } from "../testbed/testbed.ts"

export interface PrivateVersitygw extends S3Server, AsyncDisposable {
  readonly pid: number
  /** Where it keeps its data. */
  readonly folder: string
}

/**
 * A versitygw with object versions, which the testbed's own has not, unless told otherwise; in a folder of its own, below
 * `parent`, until it is disposed of.
 */
export async function privateVersitygw({
  parent = tmpdir(),
  versions = true,
}: {
  readonly parent?: string
  readonly versions?: boolean
} = {}): Promise<PrivateVersitygw> {
  const folder = mkdtempSync(join(parent, "t-versitygw-"))
  const port = await freePort()
  for (const name of ["data", "versions"]) mkdirSync(join(folder, name))
  const [accessKeyId, secretAccessKey] = [randomBytes(10).toString("hex"), randomBytes(20).toString("hex")]
  const program = join(process.env.INFRA_ACTIONS_CACHE ?? "/var/cache/infra-actions", "bin/versitygw")
  const words = ["--port", `127.0.0.1:${port}`, "--region", "us-east-1", "posix"]
  const versioning = versions ? ["--versioning-dir", join(folder, "versions")] : []
  const child = spawn(program, [...words, ...versioning, join(folder, "data")], {
    env: { ROOT_ACCESS_KEY: accessKeyId, ROOT_SECRET_KEY: secretAccessKey },
    stdio: "ignore",
  })
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()))
  for (let tries = 0; !(await answers(port)); tries++) {
    if (tries > 300 || child.exitCode !== null) throw new Error(`versitygw does not answer on port ${port}`)
    await sleep(100)
  }
  return {
    pid: child.pid ?? 0,
    folder,
    endpoint: `http://127.0.0.1:${port}`,
    region: "us-east-1",
    bucket: "backups-testbed",
    accessKeyId,
    secretAccessKey,
    async [Symbol.asyncDispose]() {
      child.kill()
      await ended
      rmSync(folder, { recursive: true })
    },
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false))
    socket.on("connect", () => socket.destroy())
  })
}
