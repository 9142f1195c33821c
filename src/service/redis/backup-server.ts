import { failure } from "../../core/errors.ts"
import { countsOf, keysIn, totalKeys } from "../../core/key-counts.ts"
import type { KeysContents, ServiceBackup } from "../../core/manifest.ts"
import type { Container } from "../../docker/stack.ts"
import type { Work } from "../../host/work.ts"
import { remoteScript } from "../../remote/scripts.ts"
import { script, sh } from "../../shell/command.ts"
import type { BackupTarget, Service } from "../driver.ts"
import { portOf, redisScript } from "./ask-server.ts"
import { type DumpedFile, type DumpReport, parseDumpReport } from "./dump-report.ts"
import { orRefused } from "./refused-command.ts"
import { replicaAdvice } from "./replication.ts"
import { productOf, type ServerAnswer } from "./server-answer.ts"
import { checkSnapshotSet } from "./snapshot-set.ts"
import { askReadyServer } from "./wait-server.ts"

/** The folder below the backup directory, whatever the product: the layout names it so. */
export const keysFolder = "dragonfly"

/** An hour, for servers whose snapshot takes long. */
const longest = 3_600_000

/**
 * Snapshot of the live server, copied out, proven, then given its final name. Redis and Valkey: one RDB file (which
 * compresses long strings itself: no gzip over it, so that what is stored can be checked as it is). Dragonfly: its own
 * format, one file for each thread and a summary.
 */
export async function backupServer(
  service: Service,
  container: Container,
  { target, work }: { readonly target: BackupTarget; readonly work: Work },
): Promise<ServiceBackup> {
  const answer = await askReadyServer(service, container)
  const advice = replicaAdvice(service, answer)
  if (advice !== undefined) target.warn?.(advice)
  const { product, version } = productOf(answer)
  const base = `${keysFolder}/${service.name}-${target.stamp}`
  const command = product === "dragonfly" ? dumpSet : dumpFile
  const { stdout } = await work
    .step(`dump-${service.name}`, command(service, container, { target, base, kibibytes: needed(answer) }), {
      timeout: longest,
      assume: assumed(`${service.name}-${target.stamp}`),
    })
    .catch(orRefused(service))
  const report = parseDumpReport(stdout)
  const wrong = await work.check(
    `check-${service.name}`,
    () => (product === "dragonfly" ? checkSet(service, report.files) : Promise.resolve([])),
    [],
  )
  const files = report.files.map(({ name }) => `${keysFolder}/${name}`)
  if (wrong.length > 0) {
    await work.step(
      `discard-${service.name}`,
      script("change", remoteScript("store-discard"), [service.backups, "-", ...files]),
    )
    throw failure("snapshot-incomplete", `the snapshot of ${service.name} is not complete: ${wrong.join("; ")}`)
  }
  await work.step(
    `publish-${service.name}`,
    script("change", remoteScript("store-publish"), [service.backups, ...files]),
  )
  return {
    service: service.name,
    image: container.image,
    artifacts: report.files.map(({ name, bytes, sha256 }) => ({
      file: `${keysFolder}/${name}`,
      role: "keys",
      name,
      bytes,
      sha256,
    })),
    contents: contents(report, { product, version }),
  }
}

interface DumpOptions {
  readonly target: BackupTarget
  readonly base: string
  readonly kibibytes: number
}

function dumpFile(service: Service, container: Container, { base, kibibytes }: DumpOptions) {
  const args = [
    container.id,
    portOf(service),
    container.imageId,
    `${service.backups}/${base}.rdb`,
    kibibytes,
    longest / 1000,
  ]
  return redisScript("redis-dump", { effect: "change", args, parts: ["redis-client", "redis-check"] })
}

function dumpSet(service: Service, container: Container, { target, base, kibibytes }: DumpOptions) {
  const set = `infra-actions-${target.id}`
  const args = [container.id, portOf(service), set, `${service.backups}/${base}`, kibibytes, longest / 1000]
  return redisScript("redis-dump-set", { effect: "change", args })
}

/** Room for a snapshot, KiB: memory in use and as much again in the data directory, where old and new lie side by side. */
function needed({ fields }: ServerAnswer): number {
  return Math.ceil((2 * Number(fields.used_memory ?? 0)) / 1024) + 1024
}

/** The checker's counts are those of the snapshot itself. Dragonfly has none: what it says around the save must do. */
function contents(report: DumpReport, { product, version }: Pick<KeysContents, "product" | "version">): KeysContents {
  const counts = report.checked ? { keyspace: [...report.checked.keyspace] } : countsOf(report)
  if (totalKeys(report.before) > 0 && totalKeys(report.after) > 0 && keysIn(counts) === 0) {
    throw failure("snapshot-empty", "the server holds keys, the snapshot none")
  }
  return { kind: product as KeysContents["kind"], product, version, ...counts }
}

/** The heads of the stored files, read back: the summary whole, of the others as much as the records can take. */
async function checkSet(service: Service, files: readonly DumpedFile[]): Promise<readonly string[]> {
  const parts = await Promise.all(
    files.map(async ({ name }) => {
      const path = `${service.backups}/${keysFolder}/${name}.partial`
      const limit = name.endsWith("-summary.dfs") ? 16_777_216 : 65_536
      const { stdout } = await service.host.run(sh`head -c ${limit} ${path} | base64`)
      return { file: name, head: Buffer.from(stdout, "base64") }
    }),
  )
  return checkSnapshotSet(parts)
}

function assumed(name: string): string {
  return `before \nafter \nfile 1 ${"0".repeat(64)} ${name}.rdb\nmagic REDIS0000\nkeys 0\n`
}
