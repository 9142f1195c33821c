import { refusal } from "../core/errors.ts"
import { heldBy } from "../core/latest-backup.ts"
import type { Manifest } from "../core/manifest.ts"
import { isProven } from "../core/manifest-contents.ts"
import type { ReplacedData } from "../service/driver.ts"
import type { BackupStore } from "../storage/backup-store.ts"
import { artifactFiles } from "../storage/manifest-file.ts"
import { asidesOf, forgetAsides, removeAsides } from "./aside.ts"
import { atLeastOne, ensureRunning } from "./ensure-running.ts"
import { hostNow } from "./host-now.ts"
import { strayFiles } from "./left-on-host.ts"
import { containerOf, dataServices, type StackService } from "./stack-services.ts"
import { localStore } from "./stores.ts"
import type { Tools } from "./tools.ts"
import { assertNotWaiting } from "./writers.ts"

export interface CleanResult {
  readonly removed: readonly string[]
  readonly kept: readonly string[]
  /** Size that the removed data had, in bytes. */
  readonly bytes: number
}

/**
 * Removes data that restores replaced, or had brought when they failed, and data directories that were set aside, more than
 * `age` milliseconds ago by the host's clock. Only when a proven backup of the very same server was made after that, and
 * its stored bytes, read again, match it; refuses otherwise. A database that this backup does not hold stays, and what does not
 * say when it was replaced, or that it is ours. Damaged files go that a good copy has taken the place of. Refuses while the app waits for a restore, whose data
 * may be among it.
 */
export async function cleanReplaced(
  tools: Tools,
  { age, services }: { readonly age: number; readonly services?: readonly string[] },
): Promise<CleanResult> {
  await assertNotWaiting(tools)
  const data = atLeastOne(await dataServices(tools, services), "data service").filter((one) => one.driver.replaced)
  const limit = (await hostNow(tools)).getTime() - age
  const isOld = ({ at }: ReplacedData) => at !== undefined && Date.parse(at) <= limit
  const removed: ReplacedData[] = []
  const kept: string[] = []
  for (const one of await ensureRunning(tools, data)) {
    const replaced = (await one.driver.replaced?.(one.service, containerOf(one))) ?? []
    const asides = await asidesOf(tools, one)
    const old = [...replaced, ...asides].filter(isOld)
    const unheld = old.length === 0 ? [] : lackedBy(await assertProven(tools, one, old), one, replaced)
    const goes = (item: ReplacedData) => isOld(item) && !unheld.includes(item)
    kept.push(...[...replaced, ...asides].filter((item) => !goes(item)).map(told))
    for (const item of unheld.filter(isOld))
      tools.log.warning(`${told(item)} stays: the newest proven backup has no database "${item.was}"`)
    const going = old.filter(goes)
    if (going.length === 0) continue
    tools.log.info(`Removing ${going.map(told).join(", ")}`)
    const names = (of: readonly ReplacedData[]) => of.filter(goes).map(({ name }) => name)
    await one.driver.removeReplaced?.(one.service, containerOf(one), names(replaced), tools.work)
    await removeAsides(tools, one, names(asides))
    await forgetAsides(tools, one)
    removed.push(...going)
  }
  const damaged = await cleanDamaged(tools, age)
  return {
    removed: [...removed.map(told), ...damaged.removed],
    kept: [...kept, ...damaged.kept],
    bytes: removed.reduce((sum, { bytes }) => sum + bytes, damaged.bytes),
  }
}

/** Those of files that a manifest names and whose place a copy has taken that is, read again, what the manifest says. */
async function cleanDamaged(tools: Tools, age: number): Promise<CleanResult> {
  const store = localStore(tools.stores)
  const files = (await strayFiles(tools)).filter(({ state }) => state === "damaged")
  const manifests = files.length === 0 ? [] : (await store.list()).backups.map(({ manifest }) => manifest)
  const whole = new Map<string, boolean>()
  const gone: (typeof files)[number][] = []
  for (const file of files.filter((one) => one.age >= age)) {
    const manifest = manifests.find((one) => artifactFiles(one).includes(file.of))
    if (!manifest) continue
    if (!whole.has(manifest.id)) whole.set(manifest.id, (await store.verify(manifest)).length === 0)
    if (whole.get(manifest.id)) gone.push(file)
  }
  if (gone.length > 0)
    await store.removeStrays(
      gone.map(({ path }) => path),
      tools.work,
    )
  const kept = files.filter((file) => !gone.includes(file)).map(({ path }) => `"${path}" (damaged)`)
  return {
    removed: gone.map(({ path }) => `"${path}" (damaged, a good copy is in its place)`),
    kept,
    bytes: gone.reduce((sum, { bytes }) => sum + bytes, 0),
  }
}

/** The newest proven backup of this service must be younger than the youngest of what goes, and whole at this moment. Gives it. */
async function assertProven(tools: Tools, one: StackService, old: readonly ReplacedData[]): Promise<Manifest> {
  const youngest = Math.max(...old.map(({ at }) => Date.parse(at ?? "")))
  const store = localStore(tools.stores)
  const { identifier } = await identityOf(one)
  const manifest = await newestOf(store, one, identifier)
  if (!manifest || Date.parse(manifest.created) <= youngest)
    throw unproven(`${one.service.name} has no proven backup that is younger than its last replaced data`)
  const [difference] = await store.verify(manifest)
  if (difference !== undefined) throw unproven(`backup ${manifest.id} is damaged: ${difference}`)
  return manifest
}

/** Replaced databases of which this backup holds nothing: since it was told which to hold, or they were dropped. */
function lackedBy(
  manifest: Manifest,
  { service }: StackService,
  replaced: readonly ReplacedData[],
): readonly ReplacedData[] {
  const held = new Set(heldBy(manifest))
  return service.kind === "postgres" ? replaced.filter(({ was }) => !held.has(`${service.name}/${was}`)) : []
}

async function identityOf(one: StackService): Promise<{ readonly identifier: unknown }> {
  const live = await one.driver.fingerprint?.(one.service, containerOf(one))
  return { identifier: live?.same["system-identifier"] }
}

async function newestOf(store: BackupStore, one: StackService, identifier: unknown): Promise<Manifest | undefined> {
  const [{ backups }, { records: drills }] = await Promise.all([store.list(), store.drills()])
  const good = backups.filter(
    ({ manifest }) => isProven(manifest, store.name, drills) && holds(manifest, one, identifier),
  )
  return good[0]?.manifest
}

/** Postgres says which server it is; a key store has no identity but its place in the stack. */
function holds(manifest: Manifest, { service }: StackService, identifier: unknown): boolean {
  const contents = manifest.services.find((one) => one.service === service.name)?.contents
  if (service.kind !== "postgres") return contents !== undefined && contents.kind !== "postgres"
  return contents?.kind === "postgres" && contents.systemIdentifier === identifier
}

function told({ name, was, at }: ReplacedData): string {
  return `"${name}" (was "${was}"${at === undefined ? "" : ` until ${at}`})`
}

function unproven(problem: string): Error {
  return refusal("backup-not-proven", problem, {
    hint: "Run backup first: replaced data goes only after a later, proven one.",
  })
}
