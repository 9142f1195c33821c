import { spawn } from "node:child_process"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { freePort } from "../support/free-port.ts"
import { testbed } from "../testbed/testbed.ts"

export interface PrivateSshd extends AsyncDisposable {
  readonly port: number
  /** The testbed's known_hosts for this port. */
  readonly knownHosts: string
}

/** A second sshd with the testbed's keys and users, on a port of its own, with settings of the test's choice. */
export async function privateSshd(...settings: readonly string[]): Promise<PrivateSshd> {
  const { ssh, state } = testbed()
  const port = await freePort()
  const folder = await mkdtemp(join(tmpdir(), "infra-actions-sshd-"))
  const config = (await readFile(join(state, "ssh", `config-${ssh.port}`), "utf8")).replace(
    /^Port .*$/m,
    `Port ${port}`,
  )
  // sshd takes the first value of a setting.
  await writeFile(join(folder, "config"), `${settings.join("\n")}\n${config}`)
  const sshd = spawn("/usr/sbin/sshd", ["-D", "-e", "-f", join(folder, "config")], { stdio: "ignore" })
  const ended = new Promise((resolve) => sshd.once("exit", resolve))
  await listening(port)
  return {
    port,
    knownHosts: (await readFile(ssh.knownHostsPath, "utf8")).replaceAll(`]:${ssh.port} `, `]:${port} `),
    async [Symbol.asyncDispose]() {
      sshd.kill()
      await ended
      await rm(folder, { recursive: true })
    },
  }
}

async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    const open = await new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true)).once("error", () => resolve(false))
      socket.once("connect", () => socket.destroy())
    })
    if (open) return
    await sleep(100)
  }
  throw new Error(`sshd does not listen on port ${port}`)
}
