import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DeleteObjectCommand, ListObjectsV2Command, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3"
import type { Host } from "../../src/host/host.ts"
import { localHost } from "../../src/host/local.ts"
import { Secret } from "../../src/shell/secret.ts"
import { openBucket } from "../../src/storage/s3-client.ts"
import type { S3StoreOptions } from "../../src/storage/s3-context.ts"
import { s3Store } from "../../src/storage/s3-store.ts"
import type { StoreGround } from "../conformance/store.ts"
import { directWork } from "../support/direct-work.ts"
import { type S3Server, testbed } from "../testbed/testbed.ts"
import { type S3Proxy, s3Proxy } from "./s3-proxy.ts"

export interface S3Ground extends StoreGround {
  readonly options: S3StoreOptions
  readonly proxy: S3Proxy
  readonly client: S3Client
  readonly host: Host
  readonly log: string[]
  /** Keys below the prefix. */
  keys(): Promise<readonly string[]>
}

/** A real S3 server, the testbed's versitygw unless told, behind a proxy; a prefix of its own, and the local machine as the host. */
export async function s3Ground(options: Partial<S3StoreOptions> = {}, s3: S3Server = testbed().s3): Promise<S3Ground> {
  const proxy = await s3Proxy(s3.endpoint)
  const host = localHost()
  const directory = mkdtempSync(join(tmpdir(), "t-s3-"))
  const log: string[] = []
  const all: S3StoreOptions = {
    bucket: s3.bucket,
    region: s3.region,
    endpoint: proxy.endpoint,
    credentials: {
      accessKeyId: new Secret("s3-access-key-id", s3.accessKeyId),
      secretAccessKey: new Secret("s3-secret-access-key", s3.secretAccessKey),
    },
    prefix: `t-s3-${process.pid}-${Math.random().toString(36).slice(2, 8)}/`,
    host,
    directory,
    notes: `${directory}/state/uploads`,
    project: "shop",
    environment: "test",
    patience: { tries: 4, stall: 5 },
    log: (line) => log.push(line),
    ...options,
  }
  const { client } = openBucket({ ...all, endpoint: s3.endpoint })
  const keys = async () => {
    const { Contents: contents = [] } = await client.send(
      new ListObjectsV2Command({ Bucket: all.bucket, Prefix: all.prefix }),
    )
    return contents.map((one) => one.Key ?? "")
  }
  const keyOf = (file: string) => `${all.prefix}${file}${all.encryption ? ".gpg" : ""}`
  const put = (key: string, body: Buffer | string) =>
    client.send(new PutObjectCommand({ Bucket: all.bucket, Key: key, Body: body }))
  return {
    store: s3Store(all),
    work: directWork(host),
    options: all,
    directory,
    proxy,
    client,
    host,
    log,
    keys,
    damage: async (file) => {
      await put(keyOf(file), Buffer.from("Some keys"))
    },
    lose: async (file) => {
      await client.send(new DeleteObjectCommand({ Bucket: all.bucket, Key: keyOf(file) }))
    },
    plant: async (name, text) => {
      await put(`${all.prefix}metadata/${name}`, text)
    },
    async [Symbol.asyncDispose]() {
      for (const key of await keys()) await client.send(new DeleteObjectCommand({ Bucket: all.bucket, Key: key }))
      await proxy[Symbol.asyncDispose]()
      await host[Symbol.asyncDispose]()
      client.destroy()
      rmSync(directory, { recursive: true })
    },
  }
}
