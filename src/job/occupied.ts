import { refusal } from "../core/errors.ts"
import type { StackService } from "./stack-services.ts"
import type { Tools } from "./tools.ts"

/**
 * Refuses to go on while people are connected to one of these services, whose replacement would cut them off, and where a
 * server that serves does not say whether somebody is (S7).
 */
export async function refuseWhileOccupied(tools: Tools, services: readonly StackService[]): Promise<void> {
  for (const one of services) {
    if (!one.container || !one.driver.occupancy) continue
    const { state, detail } = await one.driver.occupancy(one.service, one.container)
    const { name } = one.service
    if (state === "free") tools.log.info(`${name}: ${detail}, nobody is cut off`)
    else if (state === "occupied")
      throw refusal("sessions-live", `${name} has ${detail}, which replacing it would end`, {
        hint: "Wait until they have ended, or run this again with `end-sessions: true`.",
      })
    else
      throw refusal("sessions-unknown", `nobody can say whether sessions are live on ${name}: ${detail}`, {
        hint: `Set services.${name}.url in infra.yml to the server's base URL as the host sees it; its secret is read from OPENVIDU_SECRET of the container. Or run this again with \`end-sessions: true\`.`,
      })
  }
}
