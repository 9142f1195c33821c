import { refusal } from "../core/errors.ts"
import { remoteScript } from "../remote/scripts.ts"
import { script } from "../shell/command.ts"
import type { Host } from "./host.ts"

/**
 * Refuses a host whose logind ends everything of our user at the end of its last login (`KillUserProcesses`): detached work
 * would die with a lost connection. Root is exempt; a host without systemd has no such thing. What cannot be found out is a
 * warning.
 */
export async function assertDetachable(host: Host, warn: (message: string) => void): Promise<void> {
  const { stdout } = await host.run(script("read", remoteScript("login-ends-work"), [""]))
  const { user, ends } = loginEndsWork(stdout)
  if (ends === "no") return
  if (ends === "unknown")
    return warn(
      `${host.name} does not say whether logind ends the work of ${user} with its last login (KillUserProcesses): if it does, a lost connection cuts a step that is under way`,
    )
  throw refusal("login-ends-work", `on ${host.name}, logind kills what ${user} has running when it logs out`, {
    hint: `A lost connection would cut a backup or a restore. On the host, set KillUserProcesses=no, or KillExcludeUsers=root ${user}, in /etc/systemd/logind.conf, and restart systemd-logind; or log in as root.`,
  })
}

export interface LoginEnd {
  readonly user: string
  readonly ends: "yes" | "no" | "unknown"
}

/** Reads what `login-ends-work.sh` printed. */
export function loginEndsWork(output: string): LoginEnd {
  const field = (name: string) => new RegExp(`^${name} (.*)$`, "m").exec(output)?.[1] ?? ""
  const user = field("user")
  if (field("uid") === "0" || field("systemd") === "no") return { user, ends: "no" }
  const kills = settingOf(output, "KillUserProcesses")
  if (kills === undefined) return { user, ends: "unknown" }
  if (!/^(b true|yes|true|on|1)$/i.test(kills)) return { user, ends: "no" }
  const only = wordsOf(settingOf(output, "KillOnlyUsers"))
  const excluded = wordsOf(settingOf(output, "KillExcludeUsers"))
  const meant = (only.length === 0 || only.includes(user)) && !excluded.includes(user)
  return { user, ends: meant ? "yes" : "no" }
}

/** The running logind's word before that of its files; of several files the last one's counts. */
function settingOf(output: string, name: string): string | undefined {
  for (const origin of ["", "loginctl ", "file "]) {
    const all = [...output.matchAll(new RegExp(`^${origin}${name}=(.*)$`, "gm"))]
    const last = all.at(-1)?.[1]
    if (last !== undefined) return last.trim()
  }
  return undefined
}

/** `as 2 "root" "deploy"` of busctl, `root deploy` of the others. */
function wordsOf(text = ""): readonly string[] {
  return text
    .replace(/^as \d+ ?/, "")
    .split(/\s+/)
    .map((word) => word.replaceAll('"', ""))
    .filter((word) => word !== "")
}
