import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { failure } from "../../src/core/errors.ts"
import { holds } from "../../src/core/latest-backup.ts"
import type { Manifest } from "../../src/core/manifest.ts"
import { localHost } from "../../src/host/local.ts"
import { earlierBackups } from "../../src/job/earlier-backups.ts"
import type { StackService } from "../../src/job/stack-services.ts"
import type { BackupStore } from "../../src/storage/backup-store.ts"
import { printManifest, sortManifests } from "../../src/storage/manifest-file.ts"
import { keysOf, manifestOf } from "../support/manifests.ts"
import { stackTools } from "../support/stack-tools.ts"

const names = ["cache", "queue"]
const services = names.map((name) => ({ service: { name } })) as unknown as readonly StackService[]

/** What a store holds: the services of each backup that can be read, and texts that are no manifest of ours. */
interface Held {
  readonly backups: readonly (readonly string[])[]
  readonly texts: readonly string[]
}

/** A proven backup of these services, in whichever store. */
function provenOf(id: string, of: readonly string[]): Manifest {
  const file = "dragonfly/keys.rdb"
  const artifact = { file, role: "keys", name: file, bytes: 3, sha256: "a".repeat(64) } as const
  const objects = [{ file, key: file, etag: "", partBytes: 1 }]
  return manifestOf(id, {
    services: of.map((service) => keysOf(service, [], [artifact])),
    storage: { local: "success", s3: "success", tier: "etag", objects },
  })
}

const whole = printManifest(provenOf("backup-20260101-020000", names))
const unreadable = [whole.slice(0, 90), "", whole.replace('"format": 1', '"format": 2'), "\u0000", "null"]
const anothers = [
  whole.replace('"shop"', '"blog"'),
  whole.replace('"format": 1', '"format": 2').replace('"test"', '"production"'),
]

const held: fc.Arbitrary<Held> = fc.record({
  backups: fc.array(fc.subarray(names, { minLength: 1 }), { maxLength: 2 }),
  texts: fc.subarray([...unreadable, ...anothers], { maxLength: 3 }),
})

test("nothing is taken for the first backup of a service while a manifest cannot be read that may be of an earlier one", async () => {
  await using host = localHost()
  const property = fc.asyncProperty(held, held, fc.boolean(), async (local, s3, anyLoss) => {
    const said: string[] = []
    const base = stackTools({ project: "shop", baseDir: "/nowhere" }, { host })
    const tools = {
      ...base,
      stores: [storeOf("local", local), storeOf("s3", s3)],
      log: { ...base.log, warning: (line: string) => void said.push(line) },
    }
    const known = [...local.backups, ...s3.backups].flat()
    const isDoubtful =
      !names.every((name) => known.includes(name)) &&
      [local, s3].some(({ texts }) => texts.some((text) => unreadable.includes(text)))
    const found = earlierBackups(tools, services, { anyLoss })
    if (isDoubtful && !anyLoss)
      return assert.rejects(found, { kind: "refused", code: "earlier-unreadable", hint: /max-row-loss/ })
    const earlier = await found
    for (const name of names.filter((one) => known.includes(one))) assert.ok(earlier.some((one) => holds(one, name)))
    assert.equal(said.length, isDoubtful ? 1 : 0, said.join())
  })
  await fc.assert(property, { numRuns: 50 })
})

const silent = failure("s3-unreachable", "S3 does not answer")

/** The ids that a new backup is compared with, and what was said. */
async function compared(
  of: readonly (readonly string[])[],
  there: readonly Manifest[] | typeof silent,
  anyLoss = false,
) {
  await using host = localHost()
  const said: string[] = []
  const base = stackTools({ project: "shop", baseDir: "/nowhere" }, { host })
  const list = async () => {
    if (there instanceof Error) throw there
    return { backups: there.map((manifest) => ({ manifest, store: "s3" })), unreadable: [] }
  }
  const tools = {
    ...base,
    stores: [storeOf("local", { backups: of, texts: [] }), { name: "s3", list } as unknown as BackupStore],
    log: { ...base.log, warning: (line: string) => void said.push(line) },
  }
  return { ids: (await earlierBackups(tools, services, { anyLoss })).map(({ id }) => id), said }
}

test("the newest proven backup of each service counts, whichever store has it: a host may have been rolled back", async () => {
  const proven = ["backup-20260301-020000", "backup-20260101-020000"].map((id) => provenOf(id, names))
  const unproven = { ...provenOf("backup-20260401-020000", names), storage: manifestOf("").storage }
  const { ids, said } = await compared([names], [unproven, ...proven])
  assert.deepEqual(ids, ["backup-20260301-020000", "backup-20260201-020000", "backup-20260101-020000"])
  assert.deepEqual(said, [])
})

test("S3 that does not answer is a warning where the host has a backup of all, and refused where not", async () => {
  const told = /^S3, which may have a newer backup to compare with, cannot be asked: S3 does not answer$/
  const { ids, said } = await compared([names], silent)
  assert.deepEqual(ids, ["backup-20260201-020000"])
  assert.match(said.join(), told)
  await assert.rejects(compared([["cache"]], silent), { code: "earlier-unknown", message: /no backup of queue/ })
  assert.match((await compared([["cache"]], silent, true)).said.join(), told)
})

/** A store as both are: each tells its files apart by the same reading. */
function storeOf(name: "local" | "s3", { backups, texts }: Held): BackupStore {
  const files = [
    ...backups.map((of, at) => {
      const id = `backup-2026020${at + 1}-020000`
      return { name: `${id}.json`, text: printManifest(provenOf(id, of)) }
    }),
    ...texts.map((text, at) => ({ name: `backup-2026010${at + 1}-020000.json`, text })),
  ]
  const { manifests, unreadable } = sortManifests(files, { project: "shop", environment: "test" })
  const list = async () => ({ backups: manifests.map((manifest) => ({ manifest, store: name })), unreadable })
  return { name, list } as unknown as BackupStore
}
