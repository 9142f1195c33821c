import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { artifactFile, backupId, backupStamp } from "../../src/core/backup-id.ts"
import { type BegunBackup, halfWritten, leftovers, settled, stemsOf } from "../../src/core/leftovers.ts"

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

const world = fc.record({
  files: fc.array(file, { maxLength: 20 }),
  begun: fc.uniqueArray(fc.record({ second: fc.nat(3), names: fc.subarray(services, { minLength: 1 }) }), {
    selector: (one) => one.second,
  }),
  named: fc.array(file, { maxLength: 10 }),
  published: fc.subarray([0, 1, 2, 3]),
  hours: fc.nat(48),
  age: fc.constantFrom(0, day),
})

function open(one: typeof world extends fc.Arbitrary<infer T> ? T : never) {
  const options = {
    begun: one.begun.map(({ second, names }) => begun(second, names)),
    named: new Set(one.named.map(({ path }) => path)),
    published: new Set(one.published.map((second) => begun(second, []).id)),
    now: new Date(start + one.hours * 3_600_000),
    age: one.age,
  }
  return {
    options,
    gone: leftovers(
      one.files.map(({ path }) => path),
      options,
    ),
  }
}

describe("leftovers of killed backups", () => {
  it("never are what a manifest names, what was published, what nobody of ours began, or what is too young", () => {
    fc.assert(
      fc.property(world, (one) => {
        const { options, gone } = open(one)
        for (const path of gone) {
          assert.ok(!options.named.has(path))
          const origins = one.files.filter((each) => each.path === path)
          const by = options.begun.filter((each) => stemsOf(each).some((stem) => path.startsWith(stem)))
          assert.ok(origins.length > 0)
          assert.ok(by.some(({ id }) => !options.published.has(id)))
          assert.ok(by.some(({ at }) => options.now.getTime() - Date.parse(at) >= options.age))
        }
      }),
    )
  })

  it("are all files of a backup that is dead for long enough, so that its note may go", () => {
    fc.assert(
      fc.property(world, (one) => {
        const { options, gone } = open(one)
        for (const dead of settled(options).filter(({ id }) => !options.published.has(id))) {
          const own = one.files.filter(
            ({ path, service, second }) =>
              dead.services.includes(service) && begun(second, []).id === dead.id && !options.named.has(path),
          )
          for (const { path } of own) assert.ok(gone.includes(path), path)
        }
      }),
    )
  })

  it("are not the files of a service or a second whose name only begins the same", () => {
    const options = { begun: [begun(0, ["post"])], named: new Set<string>(), published: new Set<string>() }
    const files = ["postgres/post-2026-01-31-020000.dump", "postgres/post-2026-01-31-0200001.dump"]
    const others = ["postgres/postgres-2026-01-31-020000.dump", "postgres/mypost-2026-01-31-020000.dump"]
    assert.deepEqual(leftovers([...files, ...others], { ...options, now: new Date(start), age: 0 }), [files[0]])
  })

  it("are half written files only of what we began or what our manifests name", () => {
    const own = new Set(["dragonfly/cache-2026-01-30-020000.rdb"])
    const ours = [
      "dragonfly/cache-2026-01-30-020000.rdb.partial",
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

  it("have a note until they are gone: that of a published backup may go at once", () => {
    const notes = [begun(0, ["post"]), begun(1, ["post"])]
    const published = new Set([notes[1]?.id ?? ""])
    const options = { begun: notes, named: new Set<string>(), published, age: day }
    assert.deepEqual(settled({ ...options, now: new Date(start + 2000) }), [notes[1]])
    assert.deepEqual(settled({ ...options, now: new Date(start + day + 2000) }), notes)
  })

  it("stay while a stalled runner could still publish them", () => {
    const options = { begun: [begun(0, ["post"])], named: new Set<string>(), published: new Set<string>(), age: day }
    const files = ["postgres/post-2026-01-31-020000-app.dump"]
    assert.deepEqual(leftovers(files, { ...options, now: new Date(start + day - 1) }), [])
    assert.deepEqual(leftovers(files, { ...options, now: new Date(start + day) }), files)
  })
})
