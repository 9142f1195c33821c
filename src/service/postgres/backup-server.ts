import { artifactFile } from "../../core/backup-id.ts"
import { failure, refusal } from "../../core/errors.ts"
import type { Artifact, DatabaseContents, ServiceBackup } from "../../core/manifest.ts"
import type { Container } from "../../docker/stack.ts"
import type { Work } from "../../host/work.ts"
import type { BackupTarget, Service } from "../driver.ts"
import { assertWholeFiles } from "./assert-whole-files.ts"
import { apartAdvice, backupAdvice, extensionAdvice } from "./backup-advice.ts"
import { databaseContents } from "./contents.ts"
import { dumpDatabaseCommand, dumpGlobalsCommand, dumpPropertiesCommand } from "./dump-command.ts"
import { stepPart } from "./identifiers.ts"
import { named } from "./inside.ts"
import { cameToEnd, markedLines, newNonce, valuesOf } from "./marked-lines.ts"
import { assumedPacking, choosePacking, type Packing, packed, type Stored, storedAs } from "./packing.ts"
import { type Place, placeOf } from "./place.ts"
import { assumedServer, chosenDatabases, type DatabaseFacts, type ServerFacts, serverFor } from "./server-facts.ts"
import { freeBytes } from "./space.ts"
import { standbyAdvice } from "./standby-advice.ts"

interface Job {
  readonly service: Service
  readonly container: Container
  readonly target: BackupTarget
  readonly work: Work
  /** Milliseconds that a dump waits for a locked table. */
  readonly lockLimit: number
  readonly place: Place
}

/**
 * One archive for each database, with its rows counted in the dump's own snapshot, and one file with the cluster's
 * roles. Every file was decoded to its end from the stored bytes before it got its name. Throws a named failure, with
 * no half written file and no session left behind; files that were finished before stay, without a manifest.
 */
export async function backupServer(
  service: Service,
  container: Container,
  { target, work, lockLimit, place = placeOf(container) }: Pick<Job, "target" | "work" | "lockLimit"> & Partial<Job>,
): Promise<ServiceBackup> {
  const job = { service, container, target, work, lockLimit, place }
  const server = await serverFor(work, { service, container, assumed: assumedServer })
  const databases = chosenDatabases(service, server)
  for (const sentence of [...standbyAdvice(service, server), ...backupAdvice(service, server)]) target.warn?.(sentence)
  assertSettings(service, server, databases)
  await assertSpace(service, databases)
  if (!work.dryRun)
    await assertWholeFiles(
      service,
      container,
      databases.map(({ name }) => name),
    )

  const { format = "custom" } = target
  const packing = await work.check(
    "choose-format",
    () => choosePacking(service, container, format),
    assumedPacking(format),
  )
  const dumps: { artifacts: readonly Artifact[]; contents: DatabaseContents }[] = []
  for (const database of databases)
    dumps.push(await dumpDatabase(job, database, { packing, isOnly: databases.length === 1 }))
  const contents = dumps.map((one) => one.contents)
  for (const sentence of extensionAdvice(service, contents)) target.warn?.(sentence)
  const globals = await dumpGlobals(job)
  const { version, systemIdentifier, dataChecksums } = server
  return {
    service: service.name,
    image: container.image,
    artifacts: [...dumps.flatMap(({ artifacts }) => artifacts), globals],
    contents: {
      kind: "postgres",
      version,
      systemIdentifier,
      dataChecksums,
      databases: contents,
    },
  }
}

interface How {
  readonly packing: Packing
  /** SQL of the only database carries no database's name in its own. */
  readonly isOnly: boolean
}

async function dumpDatabase(job: Job, { name, size }: DatabaseFacts, { packing, isOnly }: How) {
  const { service, target, work, lockLimit, place } = job
  const { extension, stored } = packed(packing)
  const naming = { service: service.name, stamp: target.stamp, extension }
  const file = artifactFile("postgres", stored === "sql" && isOnly ? naming : { ...naming, part: name })
  const nonce = newNonce()
  const command = dumpDatabaseCommand(place, {
    nonce,
    database: name,
    packing,
    path: `${service.backups}/${file}`,
    run: work.id,
    lockLimit,
    checksums: target.checksums ?? false,
    size,
  })
  const dump = {
    step: `dump-${service.name}-${stepPart(name)}`,
    what: `the dump of database "${name}"`,
    nonce,
    command,
    // 10 minutes, and more at two megabytes a second: slower than any disk that serves a database.
    timeout: 600_000 + size / 2000,
    assume: `${nonce} fact size ${size}\n${nonce} fact objects 0`,
    expected: earlierBytes(job, { name, stored }),
  }
  const { whileWriting = (_file, run) => run() } = target
  const facts = await whileWriting({ id: target.id, file, estimate: size }, () => runDump(job, dump))
  const counts = valuesOf(facts.lines, "fact")
  for (const sentence of apartAdvice(service, valuesOf(counts, "apart"))) target.warn?.(sentence)
  const contents = databaseContents(name, counts)
  const artifact: Artifact = { file, role: "database", name, ...facts.stored }
  return { artifacts: stored === "sql" ? [artifact, await dumpProperties(job, name)] : [artifact], contents }
}

async function dumpProperties(job: Job, name: string): Promise<Artifact> {
  const { service, container, target, lockLimit } = job
  const naming = { service: service.name, stamp: target.stamp, part: name, extension: ".properties.dump" }
  const file = artifactFile("postgres", naming)
  const nonce = newNonce()
  const path = `${service.backups}/${file}`
  const { stored } = await runDump(job, {
    step: `dump-${service.name}-${stepPart(name)}-properties`,
    what: `the dump of the properties of database "${name}"`,
    nonce,
    command: dumpPropertiesCommand(container, { nonce, database: name, path, lockLimit }),
    timeout: 600_000,
    assume: "",
  })
  return { file, role: "properties", name, ...stored }
}

async function dumpGlobals(job: Job): Promise<Artifact> {
  const { service, container, target, lockLimit } = job
  // No database's file can be taken for it: those end in `.dump`.
  const file = artifactFile("postgres", {
    service: service.name,
    stamp: target.stamp,
    part: "globals",
    extension: ".sql",
  })
  const nonce = newNonce()
  const { stored } = await runDump(job, {
    step: `dump-${service.name}-globals`,
    what: "the dump of roles and tablespaces",
    nonce,
    command: dumpGlobalsCommand(container, { nonce, path: `${service.backups}/${file}`, lockLimit }),
    timeout: 600_000,
    assume: "",
  })
  return { file, role: "globals", name: file.split("/").at(-1) ?? file, ...stored }
}

/** What the same database took in an earlier backup of the same kind. */
function earlierBytes({ service, target }: Job, { name, stored }: { readonly name: string; readonly stored: Stored }) {
  const artifacts = target.earlier?.find((one) => one.service === service.name)?.artifacts ?? []
  return artifacts.find((one) => one.role === "database" && one.name === name && storedAs(one.file) === stored)?.bytes
}

interface Dump {
  readonly step: string
  readonly what: string
  readonly nonce: string
  readonly command: Parameters<Work["step"]>[1]
  /** Milliseconds. */
  readonly timeout: number
  readonly assume: string
  /** Bytes that it was the last time. */
  readonly expected?: number | undefined
}

async function runDump({ work, place }: Job, { step, what, nonce, command, timeout, assume, expected }: Dump) {
  const assumed = `${assume}\n${nonce} bytes 1\n${nonce} sha256 ${"0".repeat(64)}\n${nonce} end 0\n`
  const { stdout } = await work
    .step(step, command, { timeout: Math.ceil(timeout), assume: assumed, progress: place.progress(nonce, expected) })
    .catch((error: unknown) => {
      throw named(what, "postgres-dump-failed", error)
    })
  const lines = markedLines(stdout, nonce)
  const [bytes] = valuesOf(lines, "bytes").map(Number)
  const [sha256] = valuesOf(lines, "sha256")
  if (!cameToEnd(lines) || bytes === undefined || sha256 === undefined)
    throw failure("postgres-dump-failed", `${what} failed: it ended without its report`)
  return { lines, stored: { bytes, sha256 } }
}

function assertSettings(service: Service, server: ServerFacts, databases: readonly DatabaseFacts[]): void {
  if (databases.length === 0)
    throw failure("postgres-no-database", `service ${service.name} has no database that could be backed up`)
  if (server.oldSnapshotThreshold !== "-1")
    throw refusal("postgres-settings", `old_snapshot_threshold of ${service.name} is ${server.oldSnapshotThreshold}`, {
      hint: "Set it to -1 and restart the server: with it on, a long dump can lose its snapshot.",
    })
  const unrestorable = databases.find((one) => /[\r\n]/.test(one.name))
  if (unrestorable)
    throw refusal(
      "postgres-name",
      `the name of database ${JSON.stringify(unrestorable.name)} holds a line break: pg_restore refuses such a dump`,
      { hint: "Rename the database (ALTER DATABASE ... RENAME TO), or leave it out with services.*.databases." },
    )
  const prepared = databases.filter((one) => one.prepared > 0)
  if (prepared.length > 0)
    throw refusal(
      "postgres-prepared",
      `${prepared.map((one) => `"${one.name}"`).join(", ")} of ${service.name} has prepared transactions: their rows are in no dump`,
      { hint: "Commit or roll back what pg_prepared_xacts lists, then run again." },
    )
}

/** A dump is smaller than its database as a rule; the disk that fills up may be the one the database writes to. */
async function assertSpace(service: Service, databases: readonly DatabaseFacts[]): Promise<void> {
  const needed = databases.reduce((sum, { size }) => sum + size, 0)
  const free = await freeBytes(service.host, service.backups)
  if (free >= needed) return
  throw refusal(
    "disk-space",
    `${service.backups} has ${free} bytes free, the databases of ${service.name} have ${needed} bytes`,
    { hint: "Make room, or lower backup.retention so that fewer backups are kept on the host." },
  )
}
