import { z } from "zod"
import { releaseOwnClaim } from "../host/resume-lease.ts"
import { loadConfig } from "./load-config.ts"
import { type ConnectionInputs, openHost } from "./open-host.ts"
import type { ActionContext } from "./outcome.ts"

/** A claim that the post step gives back, as main leaves word of it. */
const claimSchema = z.object({
  directory: z.string(),
  work: z.string(),
  mark: z.string(),
  number: z.number().optional(),
})

const stateName = "claim"

/** Leaves word of a claim for the post step. To be called before it is made: a killed main may never learn its number. */
export function rememberClaim(context: ActionContext, claim: z.infer<typeof claimSchema>): void {
  context.saveState(stateName, JSON.stringify(claim))
}

/** Main has given it back by itself. */
export function forgetClaim(context: ActionContext): void {
  context.saveState(stateName, "")
}

/** The post step of an action that takes the lock: gives back what main could not, and only that. */
export async function releaseRemembered(
  inputs: ConnectionInputs,
  context: ActionContext,
  state: (name: string) => string | undefined,
): Promise<void> {
  const word = state(stateName)
  if (word === undefined) return
  const { number, mark, ...place } = claimSchema.parse(JSON.parse(word))
  const config = await loadConfig(inputs, context)
  await using host = await openHost(config, inputs, context)
  const claimant = { run: context.run.id, attempt: context.run.attempt }
  const outcome = await releaseOwnClaim(host, { ...place, claimant, number, mark })
  const said = {
    released: "released",
    working: "released when the work on the host ends",
    "not-held": "not held any more",
  }
  context.log.info(`Lock: ${said[outcome]}`)
}
