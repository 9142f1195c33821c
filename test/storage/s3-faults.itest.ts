import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { existsSync, readFileSync, rmSync } from "node:fs"
import { test } from "node:test"
import type { Manifest } from "../../src/core/manifest.ts"
import { s3Store } from "../../src/storage/s3-store.ts"
import { makeBackup, putBackup } from "../conformance/store.ts"
import { testbed } from "../testbed/testbed.ts"
import { type S3Ground, s3Ground } from "./s3-ground.ts"
import type { Fault } from "./s3-proxy.ts"

const file = "postgres/a.dump"
const bytes = randomBytes(200_000)

/** What is asked of the store, of which request of it something befalls, and what is true when it says that it is done. */
interface Operation {
  readonly name: string
  readonly hits: (method: string, url: string) => boolean
  readonly stored: boolean
  does(ground: S3Ground, manifest: Manifest): Promise<unknown>
  isTrue(ground: S3Ground, manifest: Manifest): Promise<boolean>
}

/** The same store, seen without the proxy. */
const direct = ({ options }: S3Ground) => s3Store({ ...options, endpoint: testbed().s3.endpoint })
const isWhole = async (ground: S3Ground, manifest: Manifest) => (await direct(ground).verify(manifest)).length === 0
const isListed = async (ground: S3Ground) => (await direct(ground).list()).backups.length === 1

async function put(ground: S3Ground, manifest: Manifest): Promise<void> {
  const { objects } = await ground.store.putArtifacts(manifest, ground.work)
  Object.assign(manifest.storage, { objects, s3: "success", tier: "etag" })
}

const upload = { stored: false, does: put, isTrue: isWhole }
const listing = {
  stored: true,
  does: async ({ store }: S3Ground) => {
    const { backups, unreadable } = await store.list()
    assert(backups.length === 1 || unreadable.length === 1, "a backup is not in the list, and nothing is said")
  },
  isTrue: isListed,
}

const operations: readonly Operation[] = [
  { name: "begin", hits: (method, url) => method === "POST" && url.includes("uploads"), ...upload },
  { name: "send a part", hits: (method, url) => method === "PUT" && url.includes("partNumber="), ...upload },
  { name: "list the parts", hits: (method, url) => method === "GET" && url.includes("uploadId="), ...upload },
  { name: "complete", hits: (method, url) => method === "POST" && url.includes("uploadId="), ...upload },
  { name: "look at what was put", hits: (method) => method === "HEAD", ...upload },
  {
    name: "publish",
    hits: (method, url) => method === "PUT" && url.includes("metadata/"),
    stored: false,
    async does(ground, manifest) {
      await put(ground, manifest)
      await ground.store.putManifest(manifest, ground.work)
    },
    isTrue: isListed,
  },
  { name: "list", hits: (_method, url) => url.includes("list-type=2"), ...listing },
  { name: "read a manifest", hits: (method, url) => method === "GET" && url.includes("metadata/backup"), ...listing },
  {
    name: "verify",
    hits: (method) => method === "HEAD",
    stored: true,
    does: async ({ store }, manifest) => assert.deepEqual(await store.verify(manifest), []),
    isTrue: isWhole,
  },
  {
    name: "fetch",
    hits: (method, url) => method === "GET" && url.includes(".dump"),
    stored: true,
    async does(ground, manifest) {
      rmSync(`${ground.directory}/${file}`)
      await ground.store.fetch(manifest, ground.work)
    },
    isTrue: async ({ directory }) => readFileSync(`${directory}/${file}`).equals(bytes),
  },
  {
    name: "remove",
    hits: (method) => method === "DELETE",
    stored: true,
    does: ({ store, work }, manifest) => store.remove(manifest, work),
    isTrue: async ({ keys }) => (await keys()).length === 0,
  },
]

const faults: readonly Fault[] = [
  ...(["refuse", "stall", "cut", "cut-answer", "corrupt", "corrupt-answer", "lose-answer"] as const),
  ...([503, "slow-down", "error-inside", "empty"] as const),
]

type End = "done" | "told" | "false"

/** Does it with the fault on the first so many requests, and says how it ended. */
async function attempt(operation: Operation, fault: Fault, times: number): Promise<End> {
  await using ground = await s3Ground({ transfer: "host", timeout: 700, patience: { tries: 2, stall: 1 } })
  let manifest = makeBackup(ground.directory, { files: { [file]: bytes } })
  if (operation.stored) manifest = await putBackup(ground, manifest)
  let left = times
  ground.proxy.fault = (method, url) => (operation.hits(method, url) && left-- > 0 ? fault : "pass")
  try {
    await operation.does(ground, manifest)
  } catch (error) {
    assert(error instanceof Error && error.message.length > 10)
    assert(existsSync(`${ground.directory}/${file}`) || operation.name === "fetch")
    return "told"
  }
  return (await operation.isTrue(ground, manifest)) ? "done" : "false"
}

/** What one try more does not mend: answers that look right and say nothing, and bytes that were changed on their way. */
function isMended({ name }: Operation, fault: Fault): boolean {
  // The answer to a look has no body in which an error could stand.
  if (name === "verify" && fault === "error-inside") return false
  return !["corrupt", "corrupt-answer", "empty"].includes(String(fault))
}

for (const operation of operations)
  test(`${operation.name}: what goes wrong once is mended, always is told, and is never taken for done`, async () => {
    for (const fault of faults) {
      const once = await attempt(operation, fault, 1)
      const name = `${operation.name}, ${fault}`
      assert(once === "done" || (once === "told" && !isMended(operation, fault)), `${name}, once: ${once}`)
      assert.notEqual(await attempt(operation, fault, 1000), "false", `${name}, always`)
    }
  })
