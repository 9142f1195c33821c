import { refusal } from "../core/errors.ts"
import { plain } from "../docker/volumes.ts"
import { looked } from "./data-presence.ts"
import { holdsData, names, type StackService } from "./stack-services.ts"
import type { Tools } from "./tools.ts"

/**
 * Refuses where a data service's volume was made for another directory than the definition names now: Docker keeps the old
 * one, so whoever looks into the new one sees other data than the server does.
 */
export async function assertDevicesStand(
  { stack }: Pick<Tools, "stack">,
  services: readonly StackService[],
): Promise<void> {
  const used = services.filter(holdsData).flatMap(({ definition }) => definition.volumes.map(({ source }) => source))
  if (used.length === 0) return
  const [{ volumes }, made] = await Promise.all([stack.definition(), stack.volumes()])
  for (const { key, name, device } of volumes) {
    const there = made.find((one) => one.name === name)
    if (!used.includes(key) || !there || plain(there.device ?? "") === plain(device ?? "")) continue
    const [was, now] = [there, { device }].map((one) => one.device ?? "a directory of Docker's own")
    throw refusal(
      "volume-would-be-lost",
      `the volume ${name} was made for ${was}, and the compose files say ${now} now: Docker goes on with ${was}`,
      {
        hint: `Put the old place back into the compose file. To move the data: stop the service, copy ${was} to the new place, remove its container and the volume (docker volume rm ${name}), then run this again.`,
      },
    )
  }
}

/**
 * Refuses a first creation while a volume that compose made for this project, and that no file names any more, holds
 * something: after a change of its name the data would be taken for lost, and a backup restored in its stead.
 */
export async function refuseForgottenData(tools: Tools, services: readonly StackService[]): Promise<void> {
  const data = services.filter(holdsData)
  if (data.length === 0) return
  const [{ volumes }, made] = await Promise.all([tools.stack.definition(), tools.stack.volumes()])
  const forgotten = made.map(({ name }) => name).filter((name) => !volumes.some((one) => one.name === name))
  if (forgotten.length === 0) return
  const answers = await looked(tools, data[0]?.definition.image ?? "", forgotten)
  const full = forgotten.flatMap((name, index) => {
    const { present = false, doubt } = answers[index] ?? {}
    return present ? [doubt === undefined ? name : `${name} (${doubt})`] : []
  })
  if (full.length === 0) return
  throw refusal(
    "data-elsewhere",
    `${names(data).join(", ")} would begin empty, but there is data in what was made for this project and the compose files name no more: ${full.join(", ")}`,
    {
      hint: "If it is theirs, give it to them again in the compose file (volumes: KEY: name: ...). If nobody needs it, remove it (docker volume rm), then run this again.",
    },
  )
}
