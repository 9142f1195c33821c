import assert from "node:assert/strict"
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs"
import { CreateMultipartUploadCommand, ListMultipartUploadsCommand, PutObjectCommand } from "@aws-sdk/client-s3"
import { noteBegun } from "../../src/job/clean-leftovers.ts"
import { silentLogger } from "../../src/job/logger.ts"
import type { Tools } from "../../src/job/tools.ts"
import { localStore } from "../../src/storage/local-store.ts"
import type { S3Ground } from "../storage/s3-ground.ts"
import { stackTools } from "../support/stack-tools.ts"

/** A backup of which only files and objects are there. */
export const killed = { id: "backup-20261119-030000", stamp: "2026-11-19-030000", services: ["postgres", "cache"] }
export const dump = "postgres/postgres-2026-11-19-030000-app.dump"
export const keys = "dragonfly/cache-2026-11-19-030000.rdb"
/** Names as the old scripts gave them: nobody of ours began them. */
export const foreign = "postgres/postgres-2026-11-18-030000.sql.gz"

export interface LeftoversGround {
  readonly tools: Tools
  readonly s3: S3Ground
  readonly said: string[]
  at(now: string): Tools
  /** Unfinished uploads below the prefix. */
  unfinished(): Promise<readonly string[]>
}

/** Writes down an upload of the killed backup, as its run did before it sent anything. */
export function noteUpload({ directory, options }: S3Ground, path: string, id: string, backup = killed.id): void {
  const note = { bucket: options.bucket, key: options.prefix + path, id, at: "2026-11-19T03:00:00Z" }
  mkdirSync(`${directory}/state/uploads`, { recursive: true })
  // What a full disk has torn is no note, and spoils none.
  appendFileSync(`${directory}/state/uploads/${backup}.jsonl`, `{"torn\n${JSON.stringify(note)}\n`)
}

/** A host and a bucket with what the killed backup left in both, noted as begun. */
export async function leftoversGround(s3: S3Ground): Promise<LeftoversGround> {
  const { directory, host, work } = s3
  const said: string[] = []
  const say = (line: string) => void said.push(line)
  const base = stackTools({ project: "shop", baseDir: directory }, { host, work })
  const tools: Tools = {
    ...base,
    layout: { ...base.layout, backups: directory, state: `${directory}/state` },
    stores: [localStore({ host, directory, project: "shop", environment: "test" }), s3.store],
    log: { ...silentLogger, info: say, warning: say },
  }
  for (const folder of ["postgres", "dragonfly", "metadata"]) mkdirSync(`${directory}/${folder}`, { recursive: true })
  await work.step("note", noteBegun(tools.layout, { ...killed, at: "2026-11-19T03:00:00Z" }))
  for (const file of [dump, keys, foreign]) {
    writeFileSync(`${directory}/${file}`, "left")
    await s3.client.send(
      new PutObjectCommand({ Bucket: s3.options.bucket, Key: s3.options.prefix + file, Body: "left" }),
    )
  }
  // Two under one name, of which only the first is noted.
  const upload = { Bucket: s3.options.bucket, Key: `${s3.options.prefix}${dump}.r2` }
  const { UploadId: id = "" } = await s3.client.send(new CreateMultipartUploadCommand(upload))
  await s3.client.send(new CreateMultipartUploadCommand(upload))
  noteUpload(s3, `${dump}.r2`, id)
  const unfinished = async () => {
    const { Uploads: all = [] } = await s3.client.send(new ListMultipartUploadsCommand({ Bucket: upload.Bucket }))
    return all.flatMap(({ Key, UploadId }) => (Key === upload.Key && UploadId !== undefined ? [UploadId] : []))
  }
  assert.equal((await unfinished()).length, 2)
  const at = (now: string) => ({ ...tools, clock: { ...tools.clock, now: () => new Date(now) } })
  return { tools, s3, said, at, unfinished }
}
