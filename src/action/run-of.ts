import { hostname, userInfo } from "node:os"
import type { Run } from "../job/tools.ts"

/**
 * Who runs this, from the runner's variables; in a terminal the person at the keyboard, whose commands one after the
 * other belong together as the jobs of a run do (a backup, then a recreate that relies on it).
 */
export function runOf(env: Readonly<Record<string, string | undefined>>): Run {
  const id = env.GITHUB_RUN_ID
  const server = env.GITHUB_SERVER_URL
  const repository = env.GITHUB_REPOSITORY
  return {
    id: id ?? `local-${userInfo().username}@${hostname()}`,
    attempt: env.GITHUB_RUN_ATTEMPT ?? "1",
    actor: env.GITHUB_ACTOR ?? env.USER ?? userInfo().username,
    url: id && server && repository ? `${server}/${repository}/actions/runs/${id}` : "",
    sha: env.GITHUB_SHA ?? "",
  }
}
