import { layout } from "../core/layout.ts"
import { type OwnClaim, releaseOwnClaim } from "../host/resume-lease.ts"
import { loadConfig } from "./load-config.ts"
import { type ConnectionInputs, openHost } from "./open-host.ts"
import type { ActionContext } from "./outcome.ts"

/** For a post step: gives the claim of this run back if it is still held, and says how that went. */
export async function releaseAfter(
  inputs: ConnectionInputs,
  context: ActionContext,
  known: Pick<OwnClaim, "number" | "mark">,
): Promise<void> {
  const config = await loadConfig(inputs, context)
  await using host = await openHost(config, inputs, context)
  const { lock: directory, work } = layout(config)
  const claimant = { run: context.run.id, attempt: context.run.attempt }
  const outcome = await releaseOwnClaim(host, { directory, work, claimant, ...known })
  const said = {
    released: "released",
    working: "released when the work on the host ends",
    "not-held": "not held any more",
  }
  context.log.info(`Lock${known.number === undefined ? "" : ` ${known.number}`}: ${said[outcome]}`)
}
