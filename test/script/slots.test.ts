import assert from "node:assert/strict"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { root } from "../../script/build-steps/places.ts"

/** Where a test says which stack of the testbed it takes, as a number that stands there, and the stacks of the faults. */
const places = [/\bconst slot = (\d+)/g, /\b(?:drill|published|open)Ground\((\d+)/g, /FAULT_SLOTS \?\? "([\d,]+)"/g]
/** Without a slot it is the default stack's. */
const defaults = /\b(?:resetStack|removeStack)\((?:\{(?![^}]*\bslot\b)|\))/

const ours = (name: string) => join(root, "test", name)
/** The campaigns of faults are one and the same, over more or fewer places. */
const campaigns = /fault\/(random|dockerd)/
const files = readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" }).filter(
  (name) => name.endsWith(".itest.ts") && !campaigns.test(name),
)

/** A file's own slots, and those of what it imports of the tests' grounds. */
function slotsOf(name: string, seen = new Set<string>()): readonly string[] {
  const path = ours(name)
  if (seen.has(path) || !existsSync(path)) return []
  seen.add(path)
  const text = readFileSync(path, "utf8")
  const own = places.flatMap((place) => [...text.matchAll(place)].flatMap(([, slots = ""]) => slots.split(",")))
  if (defaults.test(text)) own.push("0")
  const parts = [...text.matchAll(/from "(\.[^"]+)"/g)].map(([, part]) => join(name, "..", String(part)))
  return [...own, ...parts.flatMap((part) => slotsOf(part, seen))]
}

test("no two files have a stack of the testbed in common", () => {
  const owners = new Map([["0", "demo/demo.itest.ts"]])
  for (const name of files) {
    for (const slot of new Set(slotsOf(name))) {
      assert.equal(
        owners.get(slot),
        undefined,
        `${name} takes the stack of slot ${slot}, which ${owners.get(slot)} has`,
      )
      owners.set(slot, name)
    }
  }
  assert.ok(owners.size >= 15, [...owners].join("\n"))
})
