import { change, sh } from "../shell/command.ts"
import type { Tools } from "./tools.ts"

/**
 * Removes throw-away containers of ours that a kill left made and never started, older than `age` (as Docker writes it): a
 * younger one may be about to start, for somebody with another lock.
 */
export async function pruneUnstarted({ host, work }: Pick<Tools, "host" | "work">, age = "10m"): Promise<void> {
  const label = "label=infra-actions.scratch"
  const { stdout } = await host.run(sh`docker ps --all --quiet --filter ${label} --filter status=created`)
  if (stdout.trim() === "") return
  await work.step(
    "prune-unstarted",
    change`docker container prune --force --filter ${label} --filter ${`until=${age}`}`,
  )
}
