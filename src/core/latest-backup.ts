import type { Manifest } from "./manifest.ts"

export interface LatestBackup {
  /** Undefined when no single backup holds what the backups together hold of the services. */
  readonly id: string | undefined
  /** Backups that hold some of the services only, newest first: those newer than `id`, or all without one. */
  readonly partial: readonly Manifest[]
  /** Services that no backup holds at all. */
  readonly unheld: readonly string[]
}

/**
 * What `latest` means: the newest backup that holds all of these services, those apart that no backup holds; without a
 * list the newest of all. A backup may be given more than once, as the copies of different stores.
 */
export function latestBackup(backups: readonly Manifest[], services: readonly string[] | undefined): LatestBackup {
  const sorted = newestFirst([...new Map(backups.map((one) => [one.id, one])).values()])
  const unheld = (services ?? []).filter((service) => !sorted.some((one) => holds(one, service)))
  const wanted = (services ?? []).filter((service) => !unheld.includes(service))
  const holdsWhatItMust = (one: Manifest) => wanted.every((service) => holds(one, service))
  const nothingToHold = services !== undefined && wanted.length === 0
  const at = nothingToHold ? -1 : sorted.findIndex(holdsWhatItMust)
  const others = at < 0 ? sorted : sorted.slice(0, at)
  return {
    id: sorted[at]?.id,
    partial: others.filter((one) => wanted.some((service) => holds(one, service))),
    unheld,
  }
}

/** The one made last first; copies of different stores in the order given. */
export function newestFirst(backups: readonly Manifest[]): readonly Manifest[] {
  return backups.toSorted(
    (a, b) => Date.parse(b.created) - Date.parse(a.created) || Number(a.id < b.id) - Number(a.id > b.id),
  )
}

/** Milliseconds by which the clocks of two machines may differ. */
const clockSkew = 300_000

/** Whether it is dated so far after now that a clock is wrong, or was: how old it is, and what came after it, is not known. */
export function isDatedAhead({ created }: Pick<Manifest, "created">, now: Date): boolean {
  return Date.parse(created) - now.getTime() > clockSkew
}

/** Whether it has this service's data. */
export function holds({ services }: Manifest, name: string): boolean {
  return services.some(({ service }) => service === name)
}

/** All that it has data of: `service`, and `service/database` for each database of a Postgres server. */
export function heldBy({ services }: Pick<Manifest, "services">): readonly string[] {
  return services.flatMap(({ service, contents }) =>
    contents.kind === "postgres" ? [service, ...contents.databases.map(({ name }) => `${service}/${name}`)] : [service],
  )
}

/**
 * All that the next backup of these services will have data of, as `heldBy`, as far as it is known before: of databases those
 * that are `configured`, else those that the last backup held.
 */
export function comingToHold(
  services: readonly string[],
  backups: readonly Manifest[],
  configured: (service: string) => readonly string[] | undefined,
): readonly string[] {
  const sorted = newestFirst(backups)
  return services.flatMap((service) => {
    const chosen = configured(service)
    if (chosen) return [service, ...chosen.map((name) => `${service}/${name}`)]
    const last = sorted.find((one) => holds(one, service))?.services.filter((one) => one.service === service)
    return last ? heldBy({ services: last }) : [service]
  })
}
