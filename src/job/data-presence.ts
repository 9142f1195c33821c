import { failure, messageOf } from "../core/errors.ts"
import { HostError } from "../host/host.ts"
import { remoteScript } from "../remote/scripts.ts"
import { script } from "../shell/command.ts"
import type { StackService } from "./stack-services.ts"
import type { Tools } from "./tools.ts"

export interface DataPresence {
  readonly service: string
  /** A path on the host, or a volume's name. */
  readonly place: string
  /** Whether it holds anything; true also when that cannot be found out. */
  readonly present: boolean
  /** Why it is not sure; undefined when it is. */
  readonly doubt: string | undefined
}

/**
 * Whether the places where these services keep their data hold anything: every writable directory or volume of the
 * definition and of the container, and where these hold nothing, the container itself: what a server has not saved yet, or
 * keeps on no volume. A place that cannot be looked into counts as full: what might be data is protected like data.
 */
export async function dataPresence(
  tools: Pick<Tools, "host" | "stack">,
  services: readonly StackService[],
): Promise<readonly DataPresence[]> {
  const { volumes } = await tools.stack.definition()
  const places = services.flatMap((one) =>
    [...new Set(placesOf(one, volumes))].map((place) => ({ service: one.service.name, place })),
  )
  const image = services.find((one) => one.container)?.container?.imageId ?? services[0]?.definition.image ?? ""
  const answers = await looked(
    tools,
    image,
    places.map((one) => one.place),
  )
  const seen = places.flatMap((one, index) => (answers[index] ? [{ ...one, ...answers[index] }] : []))
  const empty = services.filter(({ service }) => !seen.some((one) => one.service === service.name && one.present))
  return [...seen, ...(await Promise.all(empty.map(inContainer))).flat()]
}

/** Whether each of these paths on the host and volumes holds anything; `image`, of the host, to look with as root. */
export async function looked(
  { host }: Pick<Tools, "host">,
  image: string,
  places: readonly string[],
): Promise<readonly Pick<DataPresence, "present" | "doubt">[]> {
  if (places.length === 0) return []
  const look = script("read", remoteScript("data-places"), [image, ...places])
  const { stdout } = await host.run(look, { timeout: 60_000 + places.length * 35_000 })
  const answers = stdout.trimEnd().split("\n")
  if (answers.length !== places.length)
    throw failure("data-places", `${places.length} places were to be looked at, ${answers.length} answers came`)
  return answers.map(judge)
}

/** What a container holds whose places are empty. */
async function inContainer({ service, container, driver }: StackService): Promise<readonly DataPresence[]> {
  if (!container || container.state === "created") return []
  const found = { service: service.name, place: `the container ${container.name}` }
  if (container.state !== "running") {
    const own = !container.mounts.some((mount) => mount.writable)
    return own ? [{ ...found, present: true, doubt: "it has no volume and does not run" }] : []
  }
  try {
    const facts = await driver.fingerprint?.(service, container)
    const keys = Object.keys({ ...facts?.atLeast, ...facts?.lasting })
    const holds = facts && (service.kind === "postgres" || keys.length > 0)
    return holds ? [{ ...found, present: true, doubt: undefined }] : []
  } catch (error) {
    if (error instanceof HostError) throw error
    return [{ ...found, present: true, doubt: messageOf(error) }]
  }
}

type Volumes = Awaited<ReturnType<Tools["stack"]["definition"]>>["volumes"]

function placesOf({ definition, container }: StackService, volumes: Volumes): readonly string[] {
  const defined = definition.volumes
    .filter((mount) => !mount.readOnly && (mount.type === "bind" || mount.type === "volume"))
    .map(({ source }) => {
      const volume = volumes.find((one) => one.key === source)
      return volume?.device ?? volume?.name ?? source
    })
  // A bind-driver volume shows its mount point only; the path behind it is known from the definition.
  const bound = new Set(volumes.flatMap((one) => (one.device === undefined ? [] : [one.name])))
  const mounted = (container?.mounts ?? [])
    .filter((mount) => mount.writable && mount.type !== "tmpfs" && !bound.has(mount.volume ?? ""))
    .map((mount) => mount.volume ?? mount.source)
  return [...defined, ...mounted].filter((place) => place !== "")
}

/** A file by itself is configuration, not a data directory. */
function judge(answer: string): Pick<DataPresence, "present" | "doubt"> {
  const [word, ...rest] = answer.split(" ")
  if (word === "full") return { present: true, doubt: undefined }
  if (word === "empty" || word === "absent" || word === "file") return { present: false, doubt: undefined }
  return { present: true, doubt: rest.join(" ") || "no answer" }
}
