import { readFileSync } from "node:fs"
import type { SshOptions } from "../../src/host/ssh.ts"
import { Secret } from "../../src/shell/secret.ts"
import { testbed } from "../testbed/testbed.ts"

/** How to log in to the testbed's sshd; `change` replaces parts of it. */
export function testbedLogin(change: Partial<SshOptions> = {}): SshOptions {
  const { address, port, user, keyPath, knownHostsPath } = testbed().ssh
  const key = new Secret("ssh-key", readFileSync(keyPath, "utf8"))
  return { address, port, user, key, knownHosts: readFileSync(knownHostsPath, "utf8"), ...change }
}
