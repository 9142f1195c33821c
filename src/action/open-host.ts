import type { z } from "zod"
import type { Config } from "../core/config.ts"
import type { Host } from "../host/host.ts"
import { localHost } from "../host/local.ts"
import { connectSsh } from "../host/ssh.ts"
import type { SshLogin } from "../host/ssh-login.ts"
import type { ActionContext } from "./outcome.ts"
import type { connectionInputs } from "./shared-inputs.ts"

export type ConnectionInputs = z.output<z.ZodObject<typeof connectionInputs>>
type OpenContext = Pick<ActionContext, "log" | "env">

/** Whether anything was given to log in with: without it there is no host to ask. */
export function hasAccess(config: Config, inputs: ConnectionInputs, { env }: OpenContext): boolean {
  return config.host.address === "local" || inputs["ssh-key"] !== undefined || Boolean(env.SSH_AUTH_SOCK)
}

/**
 * Opens the connection to the host that the configuration names; `local` is this machine. Throws an input error for what
 * cannot work, else a `HostError`.
 */
export async function openHost(config: Config, inputs: ConnectionInputs, context: OpenContext): Promise<Host> {
  const { log } = context
  const { address, user, port, jump } = config.host
  if (address === "local") return localHost({ log: log.info })
  const keys = loginKeys(inputs, context)
  return connectSsh({ address, user, port, ...keys, ...(jump ? { jump: { ...jump, ...keys } } : {}), log: log.info })
}

function loginKeys(
  inputs: ConnectionInputs,
  { env }: OpenContext,
): Pick<SshLogin, "key" | "passphrase" | "agent" | "knownHosts"> {
  const key = inputs["ssh-key"]
  const passphrase = inputs["ssh-passphrase"]
  return {
    ...(key ? { key } : {}),
    ...(passphrase ? { passphrase } : {}),
    ...(env.SSH_AUTH_SOCK ? { agent: env.SSH_AUTH_SOCK } : {}),
    knownHosts: inputs["ssh-fingerprint"] ?? inputs["ssh-known-hosts"] ?? "",
  }
}
