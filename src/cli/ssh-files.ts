import { existsSync, readFileSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import { inputError, messageOf } from "../core/errors.ts"

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The environment with what a person's machine knows about SSH put into the variables that the inputs read: files named by
 * `SSH_KEY_FILE` and `SSH_KNOWN_HOSTS_FILE`, else `~/.ssh/known_hosts` and, where no agent runs, `~/.ssh/id_ed25519`.
 * Throws an input error `file-unreadable` for a named file that cannot be read.
 */
export function withSshFiles(env: Environment, home = homedir()): Environment {
  const key = fromFile(env, "SSH_KEY", env.SSH_AUTH_SOCK ? undefined : join(home, ".ssh/id_ed25519"))
  const knownHosts = fromFile(env, "SSH_KNOWN_HOSTS", join(home, ".ssh/known_hosts"))
  return { ...env, ...(key && { SSH_KEY: key }), ...(knownHosts && { SSH_KNOWN_HOSTS: knownHosts }) }
}

function fromFile(env: Environment, variable: string, usual: string | undefined): string | undefined {
  if (env[variable]) return env[variable]
  const named = env[`${variable}_FILE`]
  if (named) return read(named, `${variable}_FILE`)
  return usual && existsSync(usual) ? read(usual, usual) : undefined
}

function read(path: string, said: string): string {
  try {
    return readFileSync(path, "utf8")
  } catch (error) {
    throw inputError("file-unreadable", `${said}: ${path} cannot be read: ${messageOf(error)}`, {
      hint: "Name a file that this user can read.",
      cause: error,
    })
  }
}
