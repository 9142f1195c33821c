import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { describe, test } from "node:test"
import { parse } from "yaml"
import { contractOf } from "../../script/build-steps/metadata.ts"
import { actionNames, root } from "../../script/build-steps/places.ts"
import { defaultText, inputMeta, isRequired } from "../../src/action/input.ts"

/** The table below a mark in a README, as rows of cells. */
function tableOf(readme: string, mark: string): readonly (readonly string[])[] {
  const text = readme.split(`<!-- ${mark} -->`)[1]?.split(`<!-- /${mark} -->`)[0] ?? ""
  const rows = text.trim().split("\n").slice(2)
  return rows.map((row) =>
    row
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll("\\|", "|")),
  )
}

const contracts = await Promise.all(actionNames().map(contractOf))

describe("every action: action.yml = contract = README", () => {
  for (const contract of contracts) {
    const { name } = contract
    const inputs = Object.entries(contract.inputs.shape)
    const outputs = Object.entries(contract.outputs.shape)
    const metadata = parse(readFileSync(`${root}/actions/${name}/action.yml`, "utf8"))
    const readme = readFileSync(`${root}/actions/${name}/README.md`, "utf8")

    test(`${name}: action.yml`, () => {
      assert.equal(metadata.description, contract.description)
      assert.equal(metadata.runs.using, "node24")
      const expected = inputs.map(([key, schema]) => {
        const text = defaultText(schema)
        const { description } = inputMeta(schema)
        return [key, { description, required: isRequired(schema), ...(text !== undefined && { default: text }) }]
      })
      assert.deepEqual(metadata.inputs, Object.fromEntries(expected))
      assert.deepEqual(
        metadata.outputs,
        Object.fromEntries(outputs.map(([key, { description }]) => [key, { description }])),
      )
    })

    test(`${name}: README`, () => {
      const rows = inputs.map(([key, schema]) => {
        const text = defaultText(schema)
        return [
          `\`${key}\``,
          inputMeta(schema).description,
          isRequired(schema) ? "**required**" : text ? `\`${text}\`` : "",
        ]
      })
      assert.deepEqual(tableOf(readme, "inputs"), rows)
      assert.deepEqual(
        tableOf(readme, "outputs"),
        outputs.map(([key, { description }]) => [`\`${key}\``, description]),
      )
      assert.ok(readme.includes(contract.description), "the README tells what the action does in the contract's words")
    })

    test(`${name}: names, outputs and secrets follow the house's rules`, () => {
      const described = [
        ...inputs.map(([key, schema]) => [key, inputMeta(schema).description] as const),
        ...outputs.map(([key, { description }]) => [key, description ?? ""] as const),
      ]
      for (const [key, description] of described) {
        assert.match(key, /^[a-z0-9]+(-[a-z0-9]+)*$/)
        assert.match(description, /\.$/, `${key} is described in sentences`)
      }
      assert.deepEqual(contract.outputs.parse(contract.negative), contract.negative)
      for (const value of Object.values(contract.negative))
        assert.ok(["string", "number", "boolean"].includes(typeof value))
      assert.deepEqual([contract.negative.status, contract.negative.reason], ["failed", "not-finished"])
      assert.equal("dry-run" in contract.inputs.shape, contract.mutates)
      for (const [key, schema] of inputs)
        assert.equal(
          Boolean(inputMeta(schema).secret),
          /key(-id)?$|passphrase|token/.test(key),
          `${key} is a secret or not`,
        )
    })
  }
})

interface Step {
  readonly id?: string
  readonly uses?: string
  readonly with?: Readonly<Record<string, string>>
}
interface Job {
  readonly steps?: readonly Step[]
  readonly outputs?: Readonly<Record<string, string>>
}

test("the reusable workflow gives only inputs that exist, and reads only outputs that exist", async () => {
  const workflow = parse(readFileSync(`${root}/.github/workflows/pipeline.yml`, "utf8"))
  const jobs = Object.entries(workflow.jobs as Record<string, Job>)
  let checked = 0
  for (const [job, { steps = [], outputs = {} }] of jobs) {
    for (const step of steps) {
      const name = /^org\/infra-actions\/([a-z-]+)@/.exec(step.uses ?? "")?.[1]
      if (!name) continue
      checked += 1
      const contract = await contractOf(name)
      for (const key of Object.keys(step.with ?? {}))
        assert.ok(key in contract.inputs.shape, `job ${job}: ${name} has no input ${key}`)
      const read = Object.values(outputs)
        .join("\n")
        .matchAll(/steps\.([\w-]+)\.outputs\.([\w-]+)/g)
      for (const [, id, output] of read)
        if (id === step.id)
          assert.ok(String(output) in contract.outputs.shape, `job ${job}: ${name} has no output ${output}`)
    }
  }
  assert.ok(checked >= 8, `only ${checked} steps of ours were found`)
})
