import { totalKeys } from "./key-counts.ts"
import type { Manifest, ServiceBackup } from "./manifest.ts"

/** What a service holds less of than in its last proven backup. */
export interface DataLoss {
  readonly unit: "rows" | "keys"
  /** `db/app` for the rows of a database, `db/app: public.users` for those of a table, `cache` for the keys of a store. */
  readonly place: string
  readonly before: number
  readonly after: number
  /** 0 to 1. */
  readonly share: number
  /** Id of the backup that it was compared with. */
  readonly since: string
}

/**
 * What each service of a new backup lost against the newest of `earlier` (newest first) that holds it: rows of a database,
 * and keys without an expiry, for the others go by themselves. A database that is gone lost all of it; a service that is
 * not in the new backup lost nothing. S1: a cut heap file dumps with exit code 0, and so does a store that came up without its
 * snapshot.
 */
export function dataLosses(earlier: readonly Manifest[], services: readonly ServiceBackup[]): readonly DataLoss[] {
  return lossesSince(earlier, services, amounts)
}

/** The same for each table: one that was emptied is lost in the sum of a large database. */
export function tableLosses(earlier: readonly Manifest[], services: readonly ServiceBackup[]): readonly DataLoss[] {
  return lossesSince(earlier, services, tableAmounts)
}

/** Stores that hold no key any more, also of those that run out by themselves. */
export function emptiedStores(earlier: readonly Manifest[], services: readonly ServiceBackup[]): readonly DataLoss[] {
  return lossesSince(earlier, services, allKeys).filter(({ share }) => share === 1)
}

type Amounts = (service: ServiceBackup) => ReadonlyMap<string, number>

function lossesSince(
  earlier: readonly Manifest[],
  services: readonly ServiceBackup[],
  amountsOf: Amounts,
): readonly DataLoss[] {
  return services.flatMap((service) => {
    const last = earlier.find((manifest) => held(manifest, service.service))
    const before = last && held(last, service.service)
    return last && before
      ? lossesOf(amountsOf(before), service, amountsOf(service)).map((loss) => ({ ...loss, since: last.id }))
      : []
  })
}

/**
 * Those that make the newer dump suspect: more than `limit` of a database's rows, or every key of a store. Keys come and
 * go (a queue drains), so that a part of them says nothing; a limit of 1 accepts everything.
 */
export function suspiciousLosses(losses: readonly DataLoss[], limit: number): readonly DataLoss[] {
  return losses.filter(({ unit, share }) => limit < 1 && (unit === "rows" ? share > limit : share === 1))
}

function held({ services }: Manifest, name: string): ServiceBackup | undefined {
  return services.find(({ service }) => service === name)
}

function lossesOf(
  earlier: ReadonlyMap<string, number>,
  { contents }: ServiceBackup,
  later: ReadonlyMap<string, number>,
): readonly Omit<DataLoss, "since">[] {
  const unit = contents.kind === "postgres" ? "rows" : "keys"
  return [...earlier]
    .map(([place, before]) => ({ unit, place, before, after: later.get(place) ?? 0 }) as const)
    .filter(({ before, after }) => after < before)
    .map((loss) => ({ ...loss, share: (loss.before - loss.after) / loss.before }))
}

function amounts({ service, contents }: ServiceBackup): ReadonlyMap<string, number> {
  if (contents.kind !== "postgres")
    return new Map([[service, sum(contents.keyspace.map(({ keys, expires }) => keys - expires))]])
  return new Map(
    contents.databases.map(({ name, tables }) => [`${service}/${name}`, sum(tables.map(({ rows }) => rows))]),
  )
}

function allKeys({ service, contents }: ServiceBackup): ReadonlyMap<string, number> {
  return contents.kind === "postgres" ? new Map() : new Map([[service, totalKeys(contents.keyspace)]])
}

function tableAmounts({ service, contents }: ServiceBackup): ReadonlyMap<string, number> {
  if (contents.kind !== "postgres") return new Map()
  return new Map(
    contents.databases.flatMap(({ name, tables }) =>
      tables.map((table) => [`${service}/${name}: ${table.schema}.${table.name}`, table.rows] as const),
    ),
  )
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
