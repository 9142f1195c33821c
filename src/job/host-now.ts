import { failure } from "../core/errors.ts"
import { sh } from "../shell/command.ts"
import type { Tools } from "./tools.ts"

/**
 * The host's own time, to the second. What lies on the host is dated by it, so that "older" and "later" hold whatever the
 * clocks of the runners say.
 */
export async function hostNow({ host }: Pick<Tools, "host">): Promise<Date> {
  const { stdout } = await host.run(sh`date +%s`)
  const seconds = Number(stdout.trim())
  if (stdout.trim() === "" || !Number.isFinite(seconds))
    throw failure("host-answer", `the host does not tell its time: ${stdout.slice(0, 80)}`)
  return new Date(seconds * 1000)
}
