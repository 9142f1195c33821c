import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"

/** Names of steps: those of the shell functions. Other names in the model are its own. */
const step = /\b(?:lease|work|job)_[a-z_]+\b/g

/** The keeper starts this one as a process of its own, and so does Spin. */
const detached: Readonly<Record<string, string>> = { work_start: "job_run" }

/** A step and what stands in its body. */
type Steps = ReadonlyMap<string, string>

const root = join(import.meta.dirname, "../..")
const model = readFileSync(join(root, "test/model/lock.pml"), "utf8")
const code = ["fence", "lease", "keeper", "job"]
  .map((name) => readFileSync(join(root, `src/remote/${name}.sh`), "utf8"))
  .join("\n")

function stepsOfCode(text: string): Steps {
  const found = text.matchAll(/^([a-z_]+)\(\) \{\n([\s\S]*?)^\}$/gm)
  return new Map([...found].map(([, name = "", body = ""]) => [name, body.replaceAll(/(^| )#.*$/gm, "")]))
}

function stepsOfModel(text: string): Steps {
  const plain = text.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll("\\\n", " ")
  const macros = [...plain.matchAll(/^#define (\w+) (.*)$/gm)]
  const expanded = macros.reduce(
    (all, [, name = "", body = ""]) => all.replaceAll(new RegExp(`\\b${name};`, "g"), `${body};`),
    plain,
  )
  const found = expanded.matchAll(
    /^(?:inline|proctype) ((?:lease|work|job)_\w+)\([^)]*\) \{\n([\s\S]*?)^\}$|^inline (\w+)\([^)]*\) \{ (.*) \}$/gm,
  )
  return new Map([...found].map(([, name, body, short = "", line = ""]) => [name ?? short, body ?? line]))
}

const inCode = stepsOfCode(code)
const inModel = stepsOfModel(model)
const outside = [...model.matchAll(/^ \* outside: (.*)$/gm)].flatMap(([, names = ""]) => names.split(" "))

test("each function on the host is a step of the model or said to be outside of it, and each step is one of them", () => {
  assert.ok(inCode.size > 30 && inModel.size > 15, `only ${inCode.size} functions and ${inModel.size} steps were read`)
  assert.deepEqual([...inModel.keys(), ...outside].toSorted(), [...inCode.keys()].toSorted())
})

test("each step of the model calls what its function calls", () => {
  for (const [name, body] of inModel) {
    const called = (text: string) => new Set((text.match(step) ?? []).filter((one) => one !== name && inModel.has(one)))
    const expected = called(inCode.get(name) ?? "")
    const modelled = called(body)
    const process = detached[name]
    if (process !== undefined) modelled.add(process)
    assert.deepEqual([...modelled].toSorted(), [...expected].toSorted(), name)
  }
})

test("a step that the model does not know is noticed", () => {
  const more = stepsOfCode(`${code}\nlease_lend() {\n  lease_held "$1" "$2"\n}\n`)
  assert.ok(more.has("lease_lend") && ![...inModel.keys(), ...outside].includes("lease_lend"))
})
