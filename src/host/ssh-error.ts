import { messageOf } from "../core/errors.ts"
import { HostError } from "./host.ts"
import type { CheckedLogin } from "./ssh-login.ts"

/** What ssh2 says about a connection that was not made, as far as it is told apart here. */
interface SshFault extends Error {
  readonly level?: string
  readonly code?: string | number
}

/** May a second try help? Only when the way broke before the host had said anything of substance. */
export function isTransient(error: unknown): boolean {
  const { code, level, message } = error as SshFault
  if (level === "client-authentication" || level === "agent") return false
  return (
    code === "ECONNRESET" ||
    code === "EAI_AGAIN" ||
    /^(Connection lost before handshake|No response from server)$/.test(message)
  )
}

/** Does the server have no host key of the types that were asked for? */
export function isKeyTypeMissing(error: unknown): boolean {
  return /no matching host key format/.test(messageOf(error))
}

/** The error of a connection that was not made, in words that name the host, the input and the remedy. */
export function connectionError(error: unknown, login: CheckedLogin): HostError {
  if (error instanceof HostError) return error
  const { level } = error as SshFault
  if (level === "client-authentication" || level === "agent") return refused(login, error)
  const [reason, hint] = reasonOf(login, error as SshFault)
  return new HostError("unreachable", `cannot connect to ${login.name}: ${reason}`, { hint, cause: error })
}

/** The key that was presented is none of those known. */
export function hostKeyError(
  login: CheckedLogin,
  presented: readonly { fingerprint: string; revoked: boolean }[],
): HostError {
  const shown = presented.map(({ fingerprint, revoked }) => `${fingerprint}${revoked ? " (revoked)" : ""}`)
  return new HostError(
    "host-key",
    `the host key of ${login.name} is not the known one: expected ${login.known.accepted.join(" or ")}, presented ${shown.join(" and ") || "no key of a known type"}`,
    {
      hint: "Nothing was sent. If the host was reinstalled, compare with `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on its console and update `ssh-known-hosts`; if not, somebody may be in between.",
    },
  )
}

function refused({ name, user, proof }: CheckedLogin, cause: unknown): HostError {
  if ("agent" in proof) {
    return new HostError("authentication", `${name} accepts no key of the SSH agent for user ${user}`, {
      hint: `Load the right key with \`ssh-add\`, and add its public key to ~${user}/.ssh/authorized_keys on the host.`,
      cause,
    })
  }
  return new HostError(
    "authentication",
    `${name} does not accept \`${proof.input}\` (${proof.key.fingerprint}) for user ${user}`,
    {
      hint: `Add its public key to ~${user}/.ssh/authorized_keys on the host, or correct \`${proof.input}\` or the SSH user.`,
      cause,
    },
  )
}

function reasonOf({ address, port }: CheckedLogin, { level, code, message }: SshFault): [string, string] {
  const reach = `Check that the host is up and that port ${port} is open to this runner.`
  if (code === "ENOTFOUND" || code === "EAI_AGAIN")
    return [`the name ${address} has no address`, "Check the spelling of the SSH host."]
  if (code === "ECONNREFUSED")
    return [`nothing listens on port ${port}`, `Check the SSH port, and that sshd runs on the host.`]
  if (level === "client-timeout") return ["it gave no answer in time", reach]
  if (level === "handshake")
    return [message, "The host's sshd offers no algorithm in common; it may be very old or locked down."]
  return [message, reach]
}
