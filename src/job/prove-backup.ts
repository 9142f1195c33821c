import { formatDuration } from "../core/duration.ts"
import { refusal } from "../core/errors.ts"
import type { Manifest, ServiceBackup } from "../core/manifest.ts"
import { isProven } from "../core/manifest-contents.ts"
import { dataPresence } from "./data-presence.ts"
import { containerOf, type StackService } from "./stack-services.ts"
import { localStore } from "./stores.ts"
import type { Tools } from "./tools.ts"

/** Milliseconds after which a backup no longer covers a destructive step, even of its own run: a person may have waited days to approve it. */
const oldest = 6 * 3_600_000

/**
 * The manifest of a backup that proves a destructive step (S1): made by this very run, of every one of these data
 * services, of the data that they hold now, and its stored bytes read again match their checksums. Refuses otherwise.
 */
export async function proveBackup(tools: Tools, id: string, data: readonly StackService[]): Promise<Manifest> {
  const { backups } = await localStore(tools.stores).list()
  const manifest = backups.find((one) => one.manifest.id === id)?.manifest
  if (!manifest || !isProven(manifest, "local")) throw unproven(`there is no proven backup ${id} on the host`)
  if (manifest.run.id !== tools.run.id)
    throw unproven(`backup ${id} was made by run ${manifest.run.id}, not by this one`)
  const age = tools.clock.now().getTime() - Date.parse(manifest.created)
  if (age > oldest) throw unproven(`backup ${id} is ${formatDuration(age)} old, more than ${formatDuration(oldest)}`)
  for (const one of data) await assertSameData(one, manifest.services)
  const [difference] = await localStore(tools.stores).verify(manifest)
  if (difference !== undefined) throw unproven(`backup ${id} is damaged: ${difference}`)
  tools.log.info(`Backup ${id} is of this run, of this data, and whole`)
  return manifest
}

/**
 * Refuses unless none of these data services has any data at all where the definition puts it: then there is nothing that a
 * backup could hold. `backupId`: there is a backup, which does not hold these services.
 */
export async function proveFresh(
  tools: Tools,
  data: readonly StackService[],
  { backupId }: { readonly backupId?: string } = {},
): Promise<undefined> {
  if (data.length === 0) return undefined
  const present = await dataPresence(tools, data)
  const [first] = present.filter((one) => one.present)
  if (first && backupId !== undefined)
    throw refusal(
      "backup-not-proven",
      `backup ${backupId} does not hold ${first.service}, which has data in ${first.place}`,
      {
        hint: "Put the new compose file on the host and run backup again, which then starts the service on that data.",
      },
    )
  if (first)
    throw refusal("no-backup", `backup-id is missing, and ${first.service} has data in ${first.place}`, {
      hint: "Run backup first and pass its backup-id: a data service is never replaced without one.",
    })
  tools.log.info("No data directory holds anything: this is a first creation")
  return undefined
}

async function assertSameData(one: StackService, services: readonly ServiceBackup[]): Promise<void> {
  const held = services.find((backup) => backup.service === one.service.name)
  if (!held) throw unproven(`the backup does not hold service ${one.service.name}`)
  if (held.contents.kind !== "postgres") return
  const live = await one.driver.fingerprint?.(one.service, containerOf(one))
  const identifier = live?.same["system-identifier"]
  if (identifier !== held.contents.systemIdentifier)
    throw unproven(
      `the backup is of another database cluster: ${held.contents.systemIdentifier}, not ${identifier ?? "known"}`,
    )
}

function unproven(problem: string): Error {
  return refusal("backup-not-proven", problem, {
    hint: "Run backup in this run and pass the backup-id that it gives.",
  })
}
