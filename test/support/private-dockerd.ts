import { execFile, spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { promisify } from "node:util"

const run = promisify(execFile)

export interface PrivateDockerd extends AsyncDisposable {
  /** For `DOCKER_HOST`. */
  readonly address: string
  docker(...words: readonly string[]): Promise<string>
}

/** A Docker engine with no image, network or container, as a runner has it, until it is disposed of. */
export async function privateDockerd(): Promise<PrivateDockerd> {
  // Beside the testbed's own: its file system is one that overlays can lie on.
  const cache = process.env.INFRA_ACTIONS_CACHE ?? "/var/cache/infra-actions"
  const folder = mkdtempSync(join(cache, "t-dockerd-"))
  const address = `unix://${folder}/docker.sock`
  const places = [
    "--data-root",
    join(folder, "data"),
    "--exec-root",
    join(folder, "exec"),
    "--pidfile",
    join(folder, "pid"),
  ]
  const nothing = ["--bridge", "none", "--iptables=false", "--ip-forward=false", "--ip-masq=false"]
  // In a network namespace of its own: without a bridge it would take away docker0, which is the testbed's.
  const words = ["--net", "dockerd", "--host", address, ...places, ...nothing]
  const child = spawn("unshare", words, { stdio: "ignore" })
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()))
  const docker = async (...words: readonly string[]) =>
    (await run("docker", ["--host", address, ...words], { maxBuffer: 1 << 26 })).stdout.trim()
  for (let tries = 0; !(await docker("version").catch(() => false)); tries++) {
    if (tries > 600 || child.exitCode !== null) throw new Error("a second dockerd does not answer")
    await sleep(200)
  }
  return {
    address,
    docker,
    async [Symbol.asyncDispose]() {
      child.kill()
      await ended
      rmSync(folder, { recursive: true })
    },
  }
}
