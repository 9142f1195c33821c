import { createHash, createHmac } from "node:crypto"
import type { S3Server } from "../testbed/testbed.ts"
import type { BackupGround } from "./backup-ground.ts"

/** What one would do by hand; each gives milliseconds. */
export interface ByHand {
  /** The dump that our backup makes, and nothing else. */
  dump(): Promise<number>
  /** `pg_dump -Fd -j2` as it comes. */
  directory(): Promise<number>
  /** `pg_dump | gzip`, `sha256sum`, one PUT. */
  usualOut(): Promise<number>
  /** That file back: `gunzip | psql`. */
  usualBack(): Promise<number>
  /** The newest backup's own file back: `pg_restore -j2` and ANALYZE. */
  restore(): Promise<number>
}

export function byHand(ground: BackupGround, database: string): ByHand {
  const { container, scratch, place, s3, shell, sql } = ground
  const exec = `docker exec -i ${container}`
  const made = `${database}_by_hand`
  const anew = async () => {
    await sql("postgres", `drop database if exists ${made} with (force)`)
    await sql("postgres", `create database ${made} template template0`)
  }
  const timed = async (text: string) => {
    const took = await shell(text)
    await sql("postgres", `drop database if exists ${made} with (force)`)
    return took
  }
  return {
    dump: () => shell(`${exec} pg_dump -U app -Fc --compress=zstd:1 ${database} >${scratch}/bare.dump`),
    async directory() {
      const took = await shell(`${exec} pg_dump -U app -Fd -j2 -f /tmp/bench-directory ${database}`)
      await shell(`${exec} rm -rf /tmp/bench-directory`)
      return took
    },
    usualOut: () =>
      shell(`${exec} pg_dump -U app ${database} | gzip >${scratch}/usual.sql.gz
sha256sum ${scratch}/usual.sql.gz >${scratch}/usual.sha256
curl -sSf -o /dev/null -T ${scratch}/usual.sql.gz '${putUrl(s3, "bench/usual.sql.gz")}'`),
    async usualBack() {
      await anew()
      return timed(
        `gunzip -c ${scratch}/usual.sql.gz | ${exec} psql -q -v ON_ERROR_STOP=1 -U app -d ${made} >/dev/null`,
      )
    },
    async restore() {
      await anew()
      return timed(`file=$(ls -t ${place.baseDir}/backups/postgres/*.dump | head -n 1)
docker cp -q "$file" ${container}:/tmp/bench.dump
${exec} pg_restore -U app -j2 -d ${made} /tmp/bench.dump
${exec} psql -q -U app -d ${made} -c analyze
${exec} rm -f /tmp/bench.dump`)
    },
  }
}

/** A presigned PUT of one object, signed here so that it is no part of what is measured. */
function putUrl(s3: S3Server, key: string): string {
  const { host, origin } = new URL(s3.endpoint)
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "")
  const scope = `${time.slice(0, 8)}/${s3.region}/s3/aws4_request`
  const query = new URLSearchParams({
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": `${s3.accessKeyId}/${scope}`,
    "X-Amz-Date": time,
    "X-Amz-Expires": "3600",
    "X-Amz-SignedHeaders": "host",
  })
  const path = `/${s3.bucket}/${key}`
  const request = ["PUT", path, `${query}`, `host:${host}`, "", "host", "UNSIGNED-PAYLOAD"].join("\n")
  const text = ["AWS4-HMAC-SHA256", time, scope, createHash("sha256").update(request).digest("hex")].join("\n")
  const hmac = (secret: string | Buffer, part: string) => createHmac("sha256", secret).update(part).digest()
  const signingKey = scope.split("/").reduce<string | Buffer>(hmac, `AWS4${s3.secretAccessKey}`)
  return `${origin}${path}?${query}&X-Amz-Signature=${hmac(signingKey, text).toString("hex")}`
}
