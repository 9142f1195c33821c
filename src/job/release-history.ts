import { formatRelease, parseReleases, type Release, type ReleaseHistory } from "../core/release.ts"
import { type Command, change, sh } from "../shell/command.ts"
import type { Tools } from "./tools.ts"

/** The release history of this environment on the host; empty when there is none yet. Lines that cannot be read are warned of. */
export async function readHistory(tools: Pick<Tools, "host" | "layout" | "log">): Promise<ReleaseHistory> {
  const { releases } = tools.layout
  const { stdout } = await tools.host.run(sh`if test -e ${releases}; then cat ${releases}; fi`)
  const history = parseReleases(stdout)
  for (const line of history.unreadable) tools.log.warning(`${releases}: line ${line} cannot be read and is left out`)
  return history
}

/** Appends one release, durably, and in the same step does what may come only after that. */
export async function recordRelease(tools: Tools, release: Release, after?: Command): Promise<void> {
  const { releases, state } = tools.layout
  const record = change`mkdir -p -m 700 -- ${state} && printf '%s' ${formatRelease(release)} >>${releases} && sync ${releases}`
  await tools.work.step("record-release", after ? change`${record} && ${after}` : record)
}
