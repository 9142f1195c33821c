import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { chosen } from "../../actions/restore/chosen.ts"
import { restoreContract } from "../../actions/restore/contract.ts"
import { contractOf } from "../../script/build-steps/metadata.ts"
import { actionNames } from "../../script/build-steps/places.ts"
import type { InputsOf } from "../../src/action/contract.ts"
import { readInputs } from "../../src/action/read-inputs.ts"
import { isGiven } from "../../src/action/without-effect.ts"
import { terminalRuntime } from "../../src/cli/terminal-runtime.ts"

/** What the command line makes of these flags, and nothing else. */
async function read(action: string, flags: Readonly<Record<string, string>>) {
  const given = { inputs: new Map(Object.entries(flags)), json: false, help: false }
  const runtime = terminalRuntime({ arguments: given, env: {}, directory: "/", writeLog: () => {} })
  return readInputs(await contractOf(action), runtime)
}

const refused: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
  ["restore", { "replaced-older-than": "14d" }, /`--replaced-older-than` has .* it goes with `--mode clean`/],
  ["restore", { database: "app" }, /`--database` has no effect here: it goes with `--file`/],
  ["restore", { force: "true" }, /with `--file`, or with `--in-place`, or with `--mode undo`/],
  ["restore", { mode: "undo", "backup-id": "backup-20261121-020000" }, /with `--mode restore`, without `--file`/],
  ["restore", { mode: "undo", "replaced-older-than": "14d" }, /--replaced-older-than/],
  ["restore", { mode: "clean", force: "true" }, /--force/],
  ["restore", { mode: "clean", file: "/a.sql" }, /--file/],
  ["restore", { file: "/a.sql", "backup-id": "backup-20261121-020000" }, /--backup-id/],
  ["restore", { file: "/a.sql", source: "s3" }, /--source/],
  ["restore", { file: "/a.sql", "in-place": "true" }, /--in-place/],
  ["lock", { mode: "status", keep: "true" }, /`--keep` .* `--mode acquire`/],
  ["lock", { mode: "release", "lock-number": "1", "lock-wait": "1m" }, /--lock-wait/],
  ["lock", { "lock-number": "1" }, /with `--mode renew`, or with `--mode release`/],
  ["backups", { mode: "prune", verify: "true" }, /`--verify` .* `--mode list`/],
  ["drill", { newest: "3" }, /`--newest` .* `--backup-id each`/],
  ["pipeline", { "backup-id": "latest" }, /`--backup-id` .* `--force restore`/],
  ["verify", { "backup-max-age": "26h", sections: "performance" }, /`--backup-max-age` .* `--sections backups`/],
  ["verify", { "backup-id": "latest", sections: "backups" }, /`--backup-id` .* `--sections data-integrity`/],
]

const taken: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ["restore", {}],
  ["restore", { "backup-id": "backup-20261121-020000", source: "s3", "in-place": "true", force: "true" }],
  ["restore", { file: "/a.sql", database: "app", force: "true", services: "postgres" }],
  // As a workflow gives it: every default of action.yml is there.
  ["restore", { mode: "undo", "backup-id": "latest", source: "auto", "in-place": "false", force: "true" }],
  ["restore", { mode: "clean", "replaced-older-than": "14d" }],
  ["lock", { keep: "true", purpose: "by hand", "lock-wait": "1m" }],
  ["lock", { mode: "status", purpose: "deployment" }],
  ["backups", { verify: "true" }],
  ["drill", { newest: "3", "backup-id": "each" }],
  ["pipeline", { "backup-id": "latest", force: "verify restore" }],
  ["verify", { "backup-id": "latest", "backup-max-age": "26h" }],
  ["verify", { "backup-max-age": "26h", sections: "performance,backups" }],
]

describe("an input that has no effect in the use asked for", () => {
  for (const [action, flags, message] of refused)
    test(`${action} ${JSON.stringify(flags)} is refused`, async () => {
      await assert.rejects(read(action, flags), { code: "input-without-effect", message })
    })

  for (const [action, flags] of taken)
    test(`${action} ${JSON.stringify(flags)} is taken`, async () => {
      await read(action, flags)
    })

  test("what a table names is there: inputs, and values that they may have", async () => {
    for (const name of actionNames()) {
      const { inputs, goesWith = {} } = await contractOf(name)
      for (const [input, uses] of Object.entries(goesWith))
        for (const [other, wanted] of [[input, true] as const, ...uses.flatMap((use) => Object.entries(use))]) {
          assert.ok(other in inputs.shape, `${name}: ${other}`)
          const value = typeof wanted === "string" ? wanted : undefined
          assert.ok(value === undefined || inputs.safeParse({ [other]: value }).success, `${name}: ${other}: ${value}`)
        }
    }
  })

  const values: Readonly<Record<string, readonly string[]>> = {
    mode: ["restore", "undo", "clean"],
    "replaced-older-than": ["1d", "14d"],
    "backup-id": ["latest", "backup-20261121-020000"],
    file: ["/a.sql"],
    database: ["app"],
    force: ["true", "false"],
    "in-place": ["true", "false"],
    services: ["postgres"],
    source: ["auto", "s3"],
  }
  const someOf = fc
    .subarray(Object.keys(values), { maxLength: 5 })
    .chain((names) =>
      fc.record(Object.fromEntries(names.map((name) => [name, fc.constantFrom(...(values[name] ?? []))]))),
    )

  test("restore reads every input that it was given, or refuses them (property)", async () => {
    let accepted = 0
    await fc.assert(
      fc.asyncProperty(someOf, async (flags) => {
        const inputs = await read("restore", flags).catch((error: { code: string }) => {
          assert.equal(error.code, "input-without-effect")
          return undefined
        })
        if (!inputs) return
        accepted += 1
        const seen = new Set<string | symbol>()
        const watched = new Proxy(inputs, {
          get: (all, name) => {
            seen.add(name)
            return Reflect.get(all, name)
          },
        })
        chosen(watched as InputsOf<typeof restoreContract>)
        const ignored = Object.keys(flags).filter(
          (name) => isGiven(restoreContract, name, inputs[name]) && !seen.has(name),
        )
        assert.deepEqual(ignored, [])
      }),
      { numRuns: 500 },
    )
    assert.ok(accepted > 20, `only ${accepted} were accepted`)
  })
})

describe("a wrong value of an input", () => {
  const wrong: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
    [
      "restore",
      { mode: "undoo" },
      /`mode` is not one of .*restore, undo, clean\) \(got "undoo"\); did you mean `undo`\?/,
    ],
    ["restore", { "backup-id": "20261121" }, /`backup-id` is not valid: use an id such as backup-\S+, or latest/],
    ["restore", { "backup-id": "../.." }, /`backup-id`/],
    ["recreate", { "backup-id": "latest" }, /`backup-id` is not valid: use an id such as backup-\S+ \(got/],
    ["drill", { "backup-id": "every" }, /latest, or each/],
    ["debug", { attempts: "9" }, /`attempts` is too big \(expected at most 3\)/],
    ["pipeline", { force: "backup,restor" }, /did you mean `restore`\?/],
    ["verify", { sections: "performence" }, /did you mean `performance`\?/],
    ["restore", { force: "yes" }, /`force` is not one of the known values \(expected one of true, false\)/],
  ]
  for (const [action, flags, message] of wrong)
    test(`${action} ${JSON.stringify(flags)} is told in plain words`, async () => {
      await assert.rejects(read(action, flags), (error: Error & { code: string; hint: string }) => {
        assert.equal(error.code, "input-invalid")
        assert.match(error.message, message)
        assert.doesNotMatch(error.message, /Invalid|Too big/)
        assert.match(error.hint, /`infra-actions \w+ --help`/)
        return true
      })
    })
})
