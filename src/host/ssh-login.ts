import { isIP } from "node:net"
import { inputError } from "../core/errors.ts"
import type { Secret } from "../shell/secret.ts"
import { type KnownKeys, knownKeys } from "./known-hosts.ts"
import { type PrivateKey, readPrivateKey } from "./ssh-key.ts"

/** Who logs in where, and how either side proves itself. */
export interface SshLogin {
  /** Name or IP address. */
  readonly address: string
  readonly user: string
  /** 22 unless told. */
  readonly port?: number
  /** The private key; its name is the input's, for messages. */
  readonly key?: Secret
  readonly passphrase?: Secret
  /** Path of an agent's socket, used when there is no key. */
  readonly agent?: string
  /** Lines of a known_hosts file, or `SHA256:` fingerprints. There is no way around it. */
  readonly knownHosts: string
}

/** A login whose every part was checked before anything is sent. */
export interface CheckedLogin {
  readonly address: string
  readonly user: string
  readonly port: number
  /** `user@address`, with the port when it is not 22. */
  readonly name: string
  readonly known: KnownKeys
  readonly proof:
    | { readonly key: PrivateKey; readonly input: string; readonly passphrase: Secret | undefined }
    | { readonly agent: string }
}

/** Throws an input error for what cannot work. */
export function checkLogin(login: SshLogin): CheckedLogin {
  const { address, user, port = 22 } = login
  if (!/^[A-Za-z0-9._-]+$/.test(address) && isIP(address) === 0) {
    throw inputError("ssh-address", `the SSH host ${JSON.stringify(address)} is neither a name nor an IP address`, {
      hint: "Give the address alone, without user, port or scheme: `203.0.113.7` or `host.example.org`.",
    })
  }
  if (user === "")
    throw inputError("ssh-user", "the SSH user is empty", {
      hint: "Give the account that deploys, for example `deploy`.",
    })
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw inputError("ssh-port", `the SSH port ${port} is not a port`, {
      hint: "Give a number from 1 to 65535; 22 is usual.",
    })
  }
  const known = knownKeys(login.knownHosts, address, port)
  return {
    address,
    user,
    port,
    name: `${user}@${address}${port === 22 ? "" : `:${port}`}`,
    known,
    proof: proofOf(login),
  }
}

function proofOf({ key, passphrase, agent }: SshLogin): CheckedLogin["proof"] {
  if (key?.reveal().trim()) return { key: readPrivateKey(key, passphrase), input: key.name, passphrase }
  if (agent) return { agent }
  throw inputError("ssh-key-missing", `\`${key?.name ?? "ssh-key"}\` is empty`, {
    hint: "Set it to the private key of the account that deploys, from a secret; in a terminal start an SSH agent, or name the key's file in SSH_KEY_FILE.",
  })
}
