import { failure, refusal } from "../../core/errors.ts"
import { totalKeys } from "../../core/key-counts.ts"
import type { KeysContents, ServiceBackup } from "../../core/manifest.ts"
import type { Container } from "../../docker/stack.ts"
import { remoteScript } from "../../remote/scripts.ts"
import { script, sh } from "../../shell/command.ts"
import { wrongFiles } from "../../storage/stored-files.ts"
import type { Service } from "../driver.ts"
import { redisScript } from "./ask-server.ts"
import { parseCheck } from "./dump-report.ts"
import type { RedisKind } from "./server-answer.ts"
import { checkSnapshotSet } from "./snapshot-set.ts"

/** Half an hour for reading all bytes of a backup. */
const readLimit = 1_800_000

/** The keys' part of a manifest; throws when the backup is of another kind of service. */
export function contentsOf(service: string, backup: ServiceBackup): KeysContents {
  if (backup.contents.kind !== "postgres") return backup.contents
  throw refusal("backup-kind", `the backup of ${service} holds a Postgres database, not keys`)
}

/**
 * Proves, before anything is touched, that the files are those of the manifest, that they are whole, and that the image
 * of the container can load them.
 */
export async function checkBackup(service: Service, container: Container, backup: ServiceBackup): Promise<void> {
  const contents = contentsOf(service.name, backup)
  const files = backup.artifacts.map(({ file }) => file)
  const wrong = await wrongFiles(service.host, service.backups, backup.artifacts, readLimit)
  if (wrong.length > 0)
    throw failure("backup-corrupt", `the backup of ${service.name} is not what it was: ${wrong.join("; ")}`)
  await checkVersion(service, container, contents)
  if (contents.product === "dragonfly") return checkSet(service, files)
  for (const file of files) {
    const path = `${service.backups}/${file}`
    const check = redisScript("redis-check-file", {
      effect: "read",
      args: [container.imageId, path],
      parts: ["redis-check"],
    })
    const found = parseCheck((await service.host.run(check, { timeout: readLimit })).stdout)
    if (totalKeys(found.keyspace) !== totalKeys(contents.keyspace)) {
      throw failure(
        "restore-differs",
        `${file} holds ${totalKeys(found.keyspace)} keys, its manifest says ${totalKeys(contents.keyspace)}`,
      )
    }
  }
}

async function checkSet(service: Service, files: readonly string[]): Promise<void> {
  const parts = await Promise.all(
    files.map(async (file) => {
      const limit = file.endsWith("-summary.dfs") ? 16_777_216 : 65_536
      const { stdout } = await service.host.run(sh`head -c ${limit} ${`${service.backups}/${file}`} | base64`)
      return { file, head: Buffer.from(stdout, "base64") }
    }),
  )
  const wrong = checkSnapshotSet(parts)
  if (wrong.length > 0)
    throw failure("backup-incomplete", `the snapshot of ${service.name} is not complete: ${wrong.join("; ")}`)
}

async function checkVersion(service: Service, container: Container, contents: KeysContents): Promise<void> {
  const { stdout } = await service.host.run(script("read", remoteScript("redis-version"), [container.imageId]))
  const now = parseVersion(stdout)
  if (now === undefined) {
    throw failure(
      "image-unknown",
      `the image ${container.image} does not tell its product and version: ${stdout.slice(0, 120)}`,
    )
  }
  if (now.product !== contents.product || compareVersions(now.version, contents.version) < 0) {
    throw refusal(
      "backup-version",
      `the backup is of ${contents.product} ${contents.version}, ${service.name} runs ${now.product} ${now.version}`,
      { hint: "Restore into the same product in the same or a newer version." },
    )
  }
}

/** Reads `Redis server v=7.0.15 sha=...`, `Valkey server v=8.1.1 ...`, `dragonfly v1.40.1-...`. */
export function parseVersion(text: string): { readonly product: RedisKind; readonly version: string } | undefined {
  const [, name, version] =
    /^(redis|valkey) server v=(\d[\d.]*)/im.exec(text) ?? /^(dragonfly) +v?(\d[\d.]*)/im.exec(text) ?? []
  if (name === undefined || version === undefined) return undefined
  return { product: name.toLowerCase() as RedisKind, version }
}

/** Below zero when `a` is older than `b`; only the numbers count. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((one) => (/^[\d.]+/.exec(one)?.[0] ?? "").split(".").map(Number))
  for (let index = 0; index < Math.max(left?.length ?? 0, right?.length ?? 0); index++) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
