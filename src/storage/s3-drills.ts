import { createHash } from "node:crypto"
import { PutObjectCommand } from "@aws-sdk/client-s3"
import {
  type DrillList,
  type DrillRecord,
  drillFile,
  drillTail,
  printDrillRecord,
  readDrillRecords,
} from "../core/drill-record.ts"
import { failure } from "../core/errors.ts"
import type { Work } from "../host/work.ts"
import { change } from "../shell/command.ts"
import { drillsRead } from "./backup-store.ts"
import { manifestFolder } from "./manifest-file.ts"
import type { S3Context } from "./s3-context.ts"
import { listKeys, readText } from "./s3-list.ts"
import { head } from "./s3-multipart.ts"
import { storageHeaders } from "./s3-storage-options.ts"

/** Writes a drill's record as an object of its own beside the manifest, which stays as it is, locked or not. */
export async function recordDrill({ bucket, options }: S3Context, record: DrillRecord, work: Work): Promise<void> {
  const key = options.prefix + drillFile(record)
  if (work.dryRun) {
    await work.step("record-drill-s3", change`: write ${`s3://${bucket.name}/${key}`}`)
    return
  }
  const text = printDrillRecord(record)
  const ContentMD5 = createHash("md5").update(text).digest("base64")
  if ((await head(bucket, key, undefined)) !== undefined)
    throw failure("drill-record", `${key} is in S3 already: a record is never replaced`)
  await bucket.call(`writing ${key}`, (client) =>
    client.send(
      new PutObjectCommand({
        Bucket: bucket.name,
        Key: key,
        Body: text,
        ContentType: "application/json",
        ContentMD5,
        ...storageHeaders(options.storage),
      }),
    ),
  )
}

/** The newest records by name, which is their time, but for those that are known. */
export async function readDrills(
  { bucket, options }: S3Context,
  known: ReadonlySet<string> = new Set(),
): Promise<DrillList> {
  const [folder, tail] = [`${options.prefix}${manifestFolder}/`, drillTail(options)]
  const idOf = (key: string) => key.slice(folder.length, -tail.length)
  const newest = (await listKeys(bucket, `${folder}drill-`))
    .filter((key) => key.endsWith(tail) && /^drill-\d{8}-\d{6}$/.test(idOf(key)))
    .toSorted()
    .slice(-drillsRead)
    .filter((key) => !known.has(idOf(key)))
  const texts: { readonly name: string; readonly text: string }[] = []
  for (let at = 0; at < newest.length; at += 8)
    texts.push(
      ...(await Promise.all(
        newest.slice(at, at + 8).map(async (key) => ({ name: key, text: await readText(bucket, key) })),
      )),
    )
  return readDrillRecords(texts, options)
}
