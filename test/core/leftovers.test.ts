import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { artifactFile, backupId, backupStamp } from "../../src/core/backup-id.ts"
import {
  type BegunBackup,
  type HeldByStore,
  halfWritten,
  type LeftoverOptions,
  leftovers,
  settled,
  stemsOf,
} from "../../src/core/leftovers.ts"

const day = 86_400_000
const start = Date.UTC(2026, 0, 31, 2)
const services = ["postgres", "post", "cache-1", "größe", "postgres-2026-01-31-020000"]

function begun(second: number, names: readonly string[]): BegunBackup {
  const time = new Date(start + second * 1000)
  return { id: backupId(time), stamp: backupStamp(time), services: names, at: time.toISOString() }
}

const file = fc
  .record({
    folder: fc.constantFrom("postgres", "dragonfly"),
    service: fc.constantFrom(...services),
    second: fc.nat(3),
    part: fc.option(fc.constantFrom("app", "0000", "a/b c"), { nil: undefined }),
    extension: fc.constantFrom(".dump", ".dump.gpg", ".sql.gz", ".rdb", ".dump.r2"),
  })
  .map(({ folder, service, second, part, extension }) => ({
    service,
    second,
    path: artifactFile(folder, {
      ...{ service, extension, stamp: backupStamp(new Date(start + second * 1000)) },
      ...(part === undefined ? {} : { part }),
    }),
  }))

const held = fc.record({ named: fc.array(file, { maxLength: 10 }), published: fc.subarray([0, 1, 2, 3]) })

const world = fc.record({
  files: fc.array(file, { maxLength: 20 }),
  begun: fc.uniqueArray(
    fc.record({
      second: fc.nat(3),
      names: fc.subarray(services, { minLength: 1 }),
      from: fc.constantFrom(undefined, undefined, "local", "s3"),
    }),
    { selector: (one) => one.second },
  ),
  local: held,
  s3: fc.option(held, { nil: undefined }),
  store: fc.constantFrom("local", "s3"),
  hours: fc.nat(48),
})

type Store = "local" | "s3"
const none: HeldByStore = { ids: new Set(), paths: new Set() }
const ids = (...seconds: readonly number[]): HeldByStore => ({
  ...none,
  ids: new Set(seconds.map((second) => begun(second, []).id)),
})

function open(one: typeof world extends fc.Arbitrary<infer T> ? T : never) {
  const holding = ({ named, published }: { named: readonly { path: string }[]; published: readonly number[] }) => ({
    ...ids(...published),
    paths: new Set(named.map(({ path }) => path)),
  })
  const stores: readonly (readonly [Store, HeldByStore])[] = [
    ["local", holding(one.local)],
    ...(one.s3 ? ([["s3", holding(one.s3)]] as const) : []),
  ]
  const options: LeftoverOptions = {
    begun: one.begun.map(({ second, names, from }) => ({ ...begun(second, names), from })),
    held: new Map(stores),
    now: new Date(start + one.hours * 3_600_000),
  }
  const store: Store = one.s3 ? one.store : "local"
  const paths = one.files.map(({ path }) => path)
  return { options, store, here: options.held.get(store) ?? none, gone: leftovers(store, paths, options) }
}

describe("leftovers of killed backups", () => {
  it("never are what a manifest there names, what is published there, what nobody of ours began, or what is too young", () => {
    fc.assert(
      fc.property(world, (one) => {
        const { options, store, here, gone } = open(one)
        for (const path of gone) {
          assert.ok(!here.paths.has(path))
          assert.ok(one.files.some((each) => each.path === path))
          const by = options.begun.filter((each) => stemsOf(each).some((stem) => path.startsWith(stem)))
          const dead = by.filter(({ id, from = store }) => !here.ids.has(id) && from === store)
          assert.ok(dead.length > 0)
          const young = ({ at }: BegunBackup) => options.now.getTime() - Date.parse(at) < day
          if (store === "s3") assert.ok(dead.some((each) => each.from === "s3" || !young(each)))
        }
      }),
      { numRuns: 500 },
    )
  })

  it("are all files there of a backup whose note goes, in a store that has no manifest of it", () => {
    fc.assert(
      fc.property(world, (one) => {
        const { options, store, here, gone } = open(one)
        for (const over of settled(options).filter(({ id, from = store }) => !here.ids.has(id) && from === store)) {
          // The notes of its uploads tell what S3 has of one that the host has.
          if (store === "s3" && over.from === undefined && options.held.get("local")?.ids.has(over.id)) continue
          for (const { path, service, second } of one.files)
            if (over.services.includes(service) && begun(second, []).id === over.id && !here.paths.has(path))
              assert.ok(gone.includes(path), path)
        }
      }),
      { numRuns: 500 },
    )
  })

  it("are not the files of a service or a second whose name only begins the same", () => {
    const options = { begun: [begun(0, ["post"])], held: new Map<Store, HeldByStore>(), now: new Date(start) }
    const files = ["postgres/post-2026-01-31-020000.dump", "postgres/post-2026-01-31-0200001.dump"]
    const others = ["postgres/postgres-2026-01-31-020000.dump", "postgres/mypost-2026-01-31-020000.dump"]
    assert.deepEqual(leftovers("local", [...files, ...others], options), [files[0]])
  })

  it("are what the host has of a backup that S3's manifest alone names, or what the removal from one store has left", () => {
    const files = ["postgres/post-2026-01-31-020000-app.dump"]
    const held = new Map<Store, HeldByStore>([
      ["local", none],
      ["s3", { ...ids(0), paths: new Set(files) }],
    ])
    const options = { begun: [begun(0, ["post"])], held, now: new Date(start) }
    assert.deepEqual([leftovers("local", files, options), leftovers("s3", files, options)], [files, []])
    const removed = { ...begun(0, ["post"]), from: "s3" as const }
    const swapped = new Map<Store, HeldByStore>([
      ["local", ids(0)],
      ["s3", none],
    ])
    const removing = { ...options, begun: [removed], held: swapped }
    assert.deepEqual([leftovers("local", files, removing), leftovers("s3", files, removing)], [[], files])
  })

  it("are half written files only of what we began or what our manifests name", () => {
    const own = new Set(["dragonfly/cache-2026-01-30-020000.rdb"])
    const ours = [
      "dragonfly/cache-2026-01-30-020000.rdb.partial",
      "dragonfly/cache-2026-01-30-020000.rdb.gpg.partial",
      "dragonfly/cache-2026-01-30-020000.rdb.gpg.partial.partial.ranges",
      "postgres/post-2026-01-31-020000-app.dump.partial",
      "postgres/post-2026-01-31-020000-app.dump.partial.sum",
      "metadata/backup-20260131-020000.json.partial",
    ]
    const others = [
      "dragonfly/cache-2026-01-30-020000.rdb",
      "postgres/post-2026-01-31-020000-app.dump",
      "postgres/shop-2026-01-31-020000-app.dump.partial",
      "metadata/backup-20260131-020001.json.partial",
    ]
    assert.deepEqual(halfWritten([...ours, ...others], { begun: [begun(0, ["post"])], own }), ours)
  })

  it("have a note until they are gone: that of a published backup may go at once, so may that of a removal", () => {
    const notes = [begun(0, ["post"]), begun(1, ["post"]), { ...begun(2, ["post"]), from: "s3" as const }]
    const both = new Map<Store, HeldByStore>([
      ["local", ids(1)],
      ["s3", none],
    ])
    assert.deepEqual(settled({ begun: notes, held: both, now: new Date(start + 2000) }), notes.slice(1))
    assert.deepEqual(settled({ begun: notes, held: both, now: new Date(start + day + 2000) }), notes)
    const alone = new Map<Store, HeldByStore>([["local", none]])
    assert.deepEqual(settled({ begun: notes, held: alone, now: new Date(start + 2000) }), notes)
  })

  it("stay in S3 while a stalled runner could still publish them, and on the host, whose lock is ours, do not", () => {
    const files = ["postgres/post-2026-01-31-020000-app.dump"]
    const held = new Map<Store, HeldByStore>([
      ["local", none],
      ["s3", none],
    ])
    const at = (time: number) => ({ begun: [begun(0, ["post"])], held, now: new Date(time) })
    assert.deepEqual(leftovers("s3", files, at(start + day - 1)), [])
    assert.deepEqual(leftovers("s3", files, at(start + day)), files)
    assert.deepEqual(leftovers("local", files, at(start)), files)
  })
})
