import "./json-modules.ts"
import { data, Evaluator, type Expr, Lexer, Parser } from "@actions/expressions"
import type { FunctionDefinition } from "@actions/expressions/funcs/info"
import { truthy } from "@actions/expressions/result"

const { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } = await import("@actions/workflow-parser")

export type Result = "success" | "failure" | "cancelled" | "skipped"

export interface WorkflowJob {
  readonly id: string
  readonly needs: readonly string[]
  readonly condition: string
  readonly source: { readonly [key: string]: unknown }
}

/** A job that has ended. */
export interface Ended {
  readonly result: Result
  readonly outputs: Readonly<Record<string, string>>
}

export interface RunState {
  readonly ended: Readonly<Record<string, Ended>>
  readonly inputs: Readonly<Record<string, string | boolean>>
  /** Whether a person cancelled the run. */
  readonly cancelled: boolean
}

/** Parses a workflow with GitHub's own parser, which also puts the implicit `success()` into conditions. */
export async function readWorkflow(content: string): Promise<readonly WorkflowJob[]> {
  const parsed = parseWorkflow({ name: "pipeline.yml", content }, new NoOperationTraceWriter())
  const errors = parsed.context.errors.getErrors().map(String)
  if (errors.length > 0 || !parsed.value) throw new Error(`the workflow is not valid: ${errors.join("; ")}`)
  const template = await convertWorkflowTemplate(parsed.context, parsed.value)
  return template.jobs.map((job) => ({
    id: job.id.toString(),
    needs: job.needs?.map(String) ?? [],
    condition: job.if.expression,
    source: job as unknown as Record<string, unknown>,
  }))
}

/** Answers whether a job starts, with GitHub's own evaluator. Equal situations are evaluated once. */
export function conditionsOf(jobs: readonly WorkflowJob[]): (id: string, state: RunState) => boolean {
  const compiled = new Map(jobs.map((job) => [job.id, compile(job, jobs)] as const))
  return (id, state) => {
    const one = compiled.get(id)
    if (!one) throw new Error(`no job ${id}`)
    return one(state)
  }
}

function compile(job: WorkflowJob, jobs: readonly WorkflowJob[]): (state: RunState) => boolean {
  const ancestors = ancestorsOf(job, jobs)
  const { tokens } = new Lexer(job.condition).lex()
  let state: RunState
  const results = () => ancestors.map((id) => state.ended[id]?.result ?? "skipped")
  const functions = new Map<string, FunctionDefinition>(
    [
      statusFunction("always", () => true),
      statusFunction("cancelled", () => state.cancelled),
      // At the level of a job both look at every ancestor, not only at those named in needs.
      statusFunction("success", () => !state.cancelled && results().every((result) => result === "success")),
      statusFunction("failure", () => !state.cancelled && results().some((result) => result === "failure")),
    ].map((one) => [one.name, one]),
  )
  const expression: Expr = new Parser(tokens, ["needs", "inputs"], [...functions.values()]).parse()
  const outputs = [...job.condition.matchAll(/needs\.([\w-]+)\.outputs\.([\w-]+)/g)]
  const answers = new Map<string, boolean>()
  return (now) => {
    state = now
    let key = inputsKey(now)
    for (const id of ancestors) key += ` ${now.ended[id]?.result}`
    for (const [, id = "", output = ""] of outputs) key += ` ${now.ended[id]?.outputs[output]}`
    const known = answers.get(key)
    if (known !== undefined) return known
    const context = new data.Dictionary(
      { key: "needs", value: needsContext(job, now) },
      { key: "inputs", value: dictionary(now.inputs) },
    )
    const answer = truthy(new Evaluator(expression, context, functions).evaluate())
    answers.set(key, answer)
    return answer
  }
}

const inputsKeys = new WeakMap<RunState["inputs"], string>()

function inputsKey({ inputs, cancelled }: RunState): string {
  const key = inputsKeys.get(inputs) ?? JSON.stringify(inputs)
  inputsKeys.set(inputs, key)
  return `${cancelled} ${key}`
}

function statusFunction(name: string, holds: () => boolean): FunctionDefinition {
  return { name, minArgs: 0, maxArgs: 0, call: () => new data.BooleanData(holds()) }
}

function needsContext(job: WorkflowJob, state: RunState): data.Dictionary {
  return new data.Dictionary(
    ...job.needs.map((id) => {
      const { result, outputs } = state.ended[id] ?? { result: "skipped", outputs: {} }
      // A skipped job has no outputs; a failed one publishes those it had set.
      const value = new data.Dictionary(
        { key: "result", value: new data.StringData(result) },
        { key: "outputs", value: dictionary(result === "skipped" ? {} : outputs) },
      )
      return { key: id, value }
    }),
  )
}

function dictionary(values: Readonly<Record<string, string | boolean>>): data.Dictionary {
  return new data.Dictionary(
    ...Object.entries(values).map(([key, value]) => ({
      key,
      value: typeof value === "boolean" ? new data.BooleanData(value) : new data.StringData(value),
    })),
  )
}

function ancestorsOf(job: WorkflowJob, jobs: readonly WorkflowJob[]): readonly string[] {
  const above = job.needs.flatMap((id) => {
    const need = jobs.find((one) => one.id === id)
    if (!need) throw new Error(`${job.id} needs ${id}, which does not exist`)
    return [id, ...ancestorsOf(need, jobs)]
  })
  return [...new Set(above)]
}
