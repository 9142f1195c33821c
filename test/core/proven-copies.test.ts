import assert from "node:assert/strict"
import { describe, test } from "node:test"
import type { Manifest } from "../../src/core/manifest.ts"
import { type KnownDrill, provenCopies } from "../../src/core/proven-copies.ts"
import { keysOf, manifestOf, recordOf } from "../support/manifests.ts"

const id = "backup-20260131-020000"
const storage: Manifest["storage"] = { local: "success", s3: "success", tier: "etag", objects: [] }
const copies = (["local", "s3"] as const).map((from) => ({ manifest: manifestOf(id, { storage }), from }))
const drill = (hour: number, source: "local" | "s3", more: Partial<KnownDrill>): KnownDrill => ({
  ...recordOf(id, `drill-20260201-0${hour}0000`),
  source,
  ...more,
})
const failed = { result: "failed", disproves: "backup" } as const
const proven = (drills: readonly KnownDrill[], held = copies) => provenCopies(held, drills).map(({ from }) => from)

describe("a drill that failed speaks against", () => {
  test("every copy of the same bytes, whichever was drilled", () => {
    assert.deepEqual(proven([]), ["local", "s3"])
    for (const source of ["local", "s3"] as const) assert.deepEqual(proven([drill(4, source, failed)]), [])
    const { disproves: _unsaid, ...unclear } = failed
    assert.deepEqual(proven([drill(4, "local", unclear)]), [])
  })

  test("its own copy alone where that one's stored bytes were damaged", () => {
    assert.deepEqual(proven([drill(4, "local", { ...failed, disproves: "copy" })]), ["s3"])
  })

  test("no copy that came back later, but one that came back before", () => {
    assert.deepEqual(proven([drill(5, "s3", {}), drill(4, "local", failed)]), ["s3"])
    assert.deepEqual(proven([drill(5, "local", failed), drill(4, "s3", {})]), [])
    assert.deepEqual(proven([drill(5, "local", {}), drill(4, "local", failed)]), ["local", "s3"])
  })

  test("the copy that is left when the drilled one is gone, but none that says otherwise what it holds", () => {
    const drills = [drill(4, "local", failed)]
    assert.deepEqual(proven(drills, copies.slice(1)), [])
    const otherwise = manifestOf(id, { storage, services: [keysOf("cache", [{ keys: 3 }])] })
    assert.deepEqual(proven(drills, [...copies.slice(0, 1), { manifest: otherwise, from: "s3" }]), ["s3"])
  })
})
