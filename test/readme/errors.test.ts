import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { root } from "../../script/build-steps/places.ts"

/** Where the sources write a code: the constructors of errors, those that name a cause, and the tables behind them. */
const places: readonly RegExp[] = [
  /\b(?:failure|refusal|inputError)\(\s*"([a-z0-9-]+)"/g,
  /\b(?:named|explainFailure)\([^\n]*"([a-z0-9-]+)"(?:, \w+)?\)/g,
  /^ {4}code: "([a-z0-9-]+)",$/gm,
  /^ {2}\| "((?:engine|docker|compose)-[a-z-]+)"$/gm,
]

/** Of constructors that put their code together. */
const composed: readonly (readonly [file: string, sign: RegExp, codes: readonly string[]])[] = [
  ["src/job/assert-nothing-lost.ts", /failure\(`\$\{loss\.unit\}-lost`/, ["rows-lost", "keys-lost"]],
  ["src/action/perform.ts", /: "bug"/, ["bug"]],
  ["src/host/host.ts", /"command-failed"/, ["command-failed"]],
]

function thrown(): ReadonlySet<string> {
  const files = ["src", "actions"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => join(folder, name)),
  )
  const texts = new Map(files.map((file) => [file, readFileSync(join(root, file), "utf8")]))
  const codes = new Set<string>()
  for (const text of texts.values())
    for (const place of places) for (const [, code] of text.matchAll(place)) codes.add(String(code))
  for (const [file, sign, some] of composed) {
    assert.match(texts.get(file) ?? "", sign, file)
    for (const code of some) codes.add(code)
  }
  const faults = /type HostFault = (.*)/.exec(texts.get("src/host/host.ts") ?? "")?.[1] ?? ""
  for (const [, fault] of faults.matchAll(/"([a-z-]+)"/g)) codes.add(`host-${fault}`)
  // Their three definitions, `${loss.unit}-lost`, explainFailure, and a function of place.ts that is called the same.
  const others = [...texts.values()].join("\n").matchAll(/\b(?:failure|refusal|inputError)\(\s*[^"\s]/g)
  assert.equal([...others].length, 6, "an error gets its code in a way that this test does not see")
  return codes
}

test("docs/errors.md has every code that the sources throw, each once, and no other", () => {
  const page = readFileSync(join(root, "docs/errors.md"), "utf8")
  const rows = page.split("\n").filter((line) => line.startsWith("| `") && !line.startsWith("| `reason`"))
  const listed = rows.flatMap((row) => [...(row.split(" | ")[0] ?? "").matchAll(/`([^`]+)`/g)].map(([, code]) => code))
  assert.deepEqual(
    listed.filter((code, at) => listed.indexOf(code) !== at),
    [],
    "listed twice",
  )
  const codes = thrown()
  assert.ok(codes.size > 200)
  assert.deepEqual(listed.toSorted(), [...codes].toSorted())
})
