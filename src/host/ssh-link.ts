import type { Readable } from "node:stream"
import { setTimeout as sleep } from "node:timers/promises"
import { NodeSSH } from "node-ssh"
import type { Client, ServerHostKeyAlgorithm } from "ssh2"
import { HostError } from "./host.ts"
import { keyFingerprint } from "./known-hosts.ts"
import { connectionError, hostKeyError, isKeyTypeMissing, isTransient } from "./ssh-error.ts"
import type { CheckedLogin } from "./ssh-login.ts"

/** One connection that is authenticated on both sides. */
export interface SshLink {
  readonly client: Client
  /** Resolves when the connection is gone, whatever the reason. */
  readonly closed: Promise<void>
  /** Cuts the connection at once. */
  cut(): void
}

export interface LinkOptions {
  readonly log: (line: string) => void
  readonly signal: AbortSignal
  readonly timeouts: SshTimeouts
  /** Makes a stream to the host through another one; a connection of our own without it. */
  readonly through?: () => Promise<Readable>
}

/** Milliseconds. */
export interface SshTimeouts {
  /** From the first packet to the end of the login; 20 000 unless told. */
  readonly ready: number
  /** Between two signs of life; three that stay unanswered end the connection. 10 000 unless told. */
  readonly keepalive: number
}

/** Pauses before the second, third and fourth try of a connection that was reset: sshd sheds load so (MaxStartups). */
const pauses = [500, 1_000, 2_000]

const modern: readonly ServerHostKeyAlgorithm[] = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "rsa-sha2-512",
  "rsa-sha2-256",
]

/** Connects and logs in. Throws a `HostError`: `unreachable`, `authentication`, `host-key` or `aborted`. */
export async function openLink(login: CheckedLogin, options: LinkOptions): Promise<SshLink> {
  const presented: Presented[] = []
  for (const algorithms of keyAlgorithms(login.known.types)) {
    try {
      return await persist(login, options, { algorithms, presented })
    } catch (error) {
      options.signal.throwIfAborted()
      const other = isKeyTypeMissing(error) || (error instanceof HostError && error.fault === "host-key")
      if (!other) throw connectionError(error, login)
    }
  }
  throw hostKeyError(login, presented)
}

interface Presented {
  readonly fingerprint: string
  readonly revoked: boolean
}

interface Attempt {
  readonly algorithms: readonly ServerHostKeyAlgorithm[]
  readonly presented: Presented[]
}

/**
 * Which host key to ask for. Known types first, or the server would present another key that nobody knows; the rest
 * after them, so that a mismatch can show what it has instead. A fingerprint has no type: one kind after the other.
 */
function keyAlgorithms(types: readonly string[]): ServerHostKeyAlgorithm[][] {
  if (types.length === 0) {
    return ["ssh-ed25519", "ecdsa", "rsa"].map((kind) => modern.filter((one) => one.startsWith(kind)))
  }
  const names = types.flatMap((type) => (type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256"] : [type]))
  const known = modern.filter((one) => names.includes(one))
  return [
    [...known.sort((a, b) => names.indexOf(a) - names.indexOf(b)), ...modern.filter((one) => !known.includes(one))],
  ]
}

async function persist(login: CheckedLogin, options: LinkOptions, attempt: Attempt): Promise<SshLink> {
  for (const pause of pauses) {
    try {
      return await connectOnce(login, options, attempt)
    } catch (error) {
      if (!isTransient(error)) throw error
      options.log(`connection to ${login.name} broke before the login; next try in ${pause} ms`)
      await sleep(pause * (1 + Math.random() / 2), undefined, { signal: options.signal })
    }
  }
  return connectOnce(login, options, attempt)
}

async function connectOnce(login: CheckedLogin, options: LinkOptions, attempt: Attempt): Promise<SshLink> {
  const { signal, timeouts, log, through } = options
  const { address, port, user, known, proof } = login
  signal.throwIfAborted()
  const sock = await through?.()
  let denied = false
  const ssh = new NodeSSH()
  const ready = ssh.connect({
    ...(sock ? { sock } : { host: address, port }),
    username: user,
    ...("agent" in proof
      ? { agent: proof.agent, authHandler: ["agent"] }
      : {
          privateKey: proof.key.text,
          authHandler: ["publickey"],
          ...(proof.passphrase?.reveal() && { passphrase: proof.passphrase.reveal() }),
        }),
    algorithms: { serverHostKey: [...attempt.algorithms] },
    readyTimeout: timeouts.ready,
    keepaliveInterval: timeouts.keepalive,
    keepaliveCountMax: 3,
    // Synchronous and strictly boolean: ssh2 takes a promise, like everything that is not false, for a yes.
    hostVerifier: (blob: Buffer): boolean => {
      const good = known.accepts(blob) === true && known.revoked(blob) === false
      if (!good) attempt.presented.push({ fingerprint: keyFingerprint(blob), revoked: known.revoked(blob) })
      denied = !good
      return good
    },
  })
  const client = ssh.connection as Client
  // A connection through a jump host may end without being closed.
  const closed = new Promise<void>((resolve) => client.once("close", resolve).once("end", resolve))
  const cut = () => client.destroy()
  client.on("error", (error) => log(`connection to ${login.name}: ${error.message}`)) // To the end: without a listener it would end us.
  signal.addEventListener("abort", cut, { once: true })
  void closed.then(() => signal.removeEventListener("abort", cut))
  try {
    await ready
    // Otherwise each command waits for a delayed acknowledgement (40 ms and more, RFC 1122 4.2.3.2) in the middle of its few small packets.
    client.setNoDelay(true)
  } catch (error) {
    client.destroy()
    signal.throwIfAborted()
    throw denied ? new HostError("host-key", "host key denied") : error
  }
  return { client, closed, cut }
}
