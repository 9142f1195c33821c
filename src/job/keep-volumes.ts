import { dataKinds } from "../core/config.ts"
import { failure, refusal } from "../core/errors.ts"
import type { Container, Mount, ServiceDefinition, StackDefinition } from "../docker/stack.ts"
import { change, sh } from "../shell/command.ts"
import type { StackService } from "./stack-services.ts"
import type { Tools } from "./tools.ts"

/**
 * Refuses when recreating these services would part a data service from its data: no persistent mount where it keeps its
 * data, data in the container itself, a mount that the compose files no longer have, or one that would come from another
 * place (S2), or another directory of the same one, or is another data service's as well (S13). The volume of a service
 * that is `upgraded` may be mounted elsewhere: its data is brought over by a dump.
 */
export async function assertDataStays(
  { stack: { definition } }: Pick<Tools, "stack">,
  services: readonly StackService[],
  upgraded: readonly string[] = [],
): Promise<void> {
  const stack = await definition()
  const places = new Map<string, string>()
  for (const one of services.filter(({ service }) => dataKinds.includes(service.kind))) {
    const { name } = one.service
    for (const { path, source } of await placedOn(one, stack, upgraded.includes(name))) {
      const other = places.get(path ?? source)
      if (other !== undefined) throw shared(other, name, source)
      places.set(path ?? source, name)
    }
    for (const mount of one.container?.mounts.filter(keepsData) ?? []) {
      const moved =
        upgraded.includes(name) && persistent(one.definition, stack).some(({ source }) => source === sourceOf(mount))
      if (!moved) assertSameSource(name, mount, one.definition, stack)
    }
  }
}

/** The mounts of a container where its data lies: all that it can write to when its driver does not tell. */
export async function dataMounts(
  container: Container,
  one: Omit<StackService, "container">,
): Promise<readonly Mount[]> {
  const inside = await one.driver.dataDirectory?.(one.service, container, one.definition)
  return container.mounts.filter((mount) => mount.writable && (inside === undefined || covers(mount, inside)))
}

/** Where the data is going to lie. Refuses what does not outlive the container, now or then. */
async function placedOn(
  { service, container, definition, driver }: StackService,
  stack: StackDefinition,
  isUpgraded: boolean,
): Promise<readonly PersistentMount[]> {
  const next = persistent(definition, stack).filter((mount) => mount.writable)
  if (next.length === 0)
    throw refusal("no-persistent-volume", `data service ${service.name} has no named volume and no bind mount`, {
      hint: "Give it one in the compose file: without it the data goes away with the container.",
    })
  const now = container && (await driver.dataDirectory?.(service, container, definition))
  if (container) assertOutside(container, { name: service.name, now })
  const then = await driver.dataDirectory?.(service, undefined, definition)
  const own = next.filter((mount) => then === undefined || covers(mount, then))
  if (container && !isUpgraded && now !== undefined && then !== undefined)
    assertSameDirectory(service.name, {
      now: { path: now, mounts: container.mounts.map((mount) => ({ ...mount, source: sourceOf(mount) })) },
      next: { path: then, mounts: own },
    })
  if (own.length > 0) return own
  const there = next.map(({ target }) => target).join(", ")
  throw refusal(
    "no-persistent-volume",
    `${definition.image} keeps the data of ${service.name} in ${then}, where it has no volume (it mounts ${there})`,
    { hint: `Mount its volume at ${then}, or at a directory above it.` },
  )
}

interface Inside {
  /** In the container. */
  readonly path: string
  readonly mounts: readonly Pick<PersistentMount, "target" | "source">[]
}

/** A server that looks for its data in another directory of its volume finds none, and begins anew beside it. */
function assertSameDirectory(service: string, { now, next }: { readonly now: Inside; readonly next: Inside }): void {
  const [from, to] = [now, next].map(({ path, mounts }) => {
    const mount = mounts.filter((one) => covers(one, path)).toSorted((a, b) => b.target.length - a.target.length)[0]
    return mount && { source: mount.source, below: `${path}/`.slice(mount.target.replace(/\/+$/, "").length) }
  })
  if (!from || !to || from.source !== to.source || from.below === to.below) return
  throw refusal(
    "data-would-move",
    `${service} has its data in ${now.path}, and would look for it in ${next.path}, in ${to.below} of the same ${to.source}`,
    {
      hint: "Move the data there first, while the service is stopped; or take the change back (PGDATA, the volume's target).",
    },
  )
}

function shared(service: string, other: string, source: string): Error {
  return refusal("data-shared", `${service} and ${other} would both have their data in ${source}`, {
    hint: "Give each a volume of its own: two servers on one data directory destroy it.",
  })
}

function assertOutside(
  container: Container,
  { name, now }: { readonly name: string; readonly now: string | undefined },
): void {
  if (now === undefined || container.mounts.filter(keepsData).some((mount) => covers(mount, now))) return
  throw refusal("data-in-container", `${name} keeps its data in ${now}, in the container itself: it would go with it`, {
    hint: `Copy it to the place that the compose file mounts there first: stop the app and the container, then docker cp -a ${container.name}:${now}/. PLACE`,
  })
}

/** Creates the missing directories behind the data services' mounts; any other missing bind source is an error. */
export async function prepareVolumes(tools: Tools, services: readonly StackService[]): Promise<void> {
  const stack = await tools.stack.definition()
  const paths = services.flatMap((one) =>
    persistent(one.definition, stack)
      .flatMap((mount) => mount.path ?? [])
      .map((path) => ({ path, isData: dataKinds.includes(one.service.kind), service: one.service.name })),
  )
  if (paths.length === 0) return
  const looked = await tools.host.run(
    sh`for path in ${paths.map((one) => one.path)}; do test -e "$path" && echo yes || echo no; done`,
  )
  const there = looked.stdout.trim().split("\n")
  const missing = paths.filter((_, index) => there[index] !== "yes")
  const stray = missing.find((one) => !one.isData)
  if (stray)
    throw failure("bind-source-missing", `${stray.path}, mounted into ${stray.service}, is not on the host`, {
      hint: "Copy it to the host first: Docker would put an empty directory in its place.",
    })
  if (missing.length > 0)
    await tools.work.step("prepare-volumes", change`mkdir -p -m 700 -- ${missing.map((one) => one.path)}`)
}

/** Whether a path in the container lies on a mount. */
export function covers({ target }: Pick<Mount, "target">, path: string): boolean {
  return `${path}/`.startsWith(`${target.replace(/\/+$/, "")}/`)
}

/** The directory on the host that really holds a mount's data: behind a bind-driver volume lies another one than Docker's own. */
export function directoryOf(mount: Mount, stack: StackDefinition): string {
  return stack.volumes.find((one) => one.name === mount.volume)?.device ?? mount.source
}

interface PersistentMount {
  readonly target: string
  /** As Docker calls it: the volume's name, or the path of a bind mount. */
  readonly source: string
  /** The directory on the host, when the definition names one. */
  readonly path: string | undefined
  readonly writable: boolean
}

function persistent(definition: ServiceDefinition, stack: StackDefinition): readonly PersistentMount[] {
  return definition.volumes.flatMap(({ type, source, target, readOnly }) => {
    const writable = !readOnly
    if (type === "bind") return [{ target, source, path: source, writable }]
    const volume = stack.volumes.find((one) => one.key === source)
    return type === "volume" && volume ? [{ target, source: volume.name, path: volume.device, writable }] : []
  })
}

/** As Docker calls it: the volume's name, or the path of a bind mount. */
function sourceOf(mount: Mount): string {
  return mount.volume ?? mount.source
}

function keepsData(mount: Mount): boolean {
  return mount.writable && mount.type !== "tmpfs"
}

function assertSameSource(service: string, mount: Mount, definition: ServiceDefinition, stack: StackDefinition): void {
  const now = sourceOf(mount)
  const next = persistent(definition, stack).find((one) => one.target === mount.target)
  if (next?.source === now) return
  throw refusal(
    "volume-would-be-lost",
    `${service} has its ${mount.target} in ${now}, and would get ${next?.source ?? "nothing"} there`,
    { hint: "Move the data to the new place first, or put the old volume back into the compose file." },
  )
}
