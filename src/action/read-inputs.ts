import type { z } from "zod"
import { closest } from "../core/closest.ts"
import { wrong } from "../core/config-problem.ts"
import { inputError } from "../core/errors.ts"
import type { Contract, InputsOf } from "./contract.ts"
import { didYouMean } from "./did-you-mean.ts"
import { inputMeta } from "./input.ts"
import type { Runtime } from "./runtime.ts"
import { refuseWithoutEffect } from "./without-effect.ts"

/**
 * The inputs of an action, checked. Secrets are masked before anything else is done with them. Throws an input error
 * `input-unknown`, `input-invalid` or `input-without-effect` that names every wrong input at once, without a secret's value.
 */
export function readInputs<C extends Contract>(contract: C, runtime: Runtime): InputsOf<C> {
  const names = Object.keys(contract.inputs.shape)
  const texts = new Map(names.map((name) => [name, textOf(contract, { name, names, runtime })] as const))
  for (const [name, text] of texts) if (text !== undefined && metaOf(contract, name).secret) runtime.mask(text)
  refuseUnknown(contract, names, runtime)
  const given = [...texts].filter(([, text]) => text !== undefined)
  const result = contract.inputs.safeParse(Object.fromEntries(given), { reportInput: true })
  if (result.success) {
    refuseWithoutEffect(contract, result.data, runtime)
    return result.data as InputsOf<C>
  }
  const problems = result.error.issues.map((issue) => explain(contract, issue, texts, runtime))
  throw inputError("input-invalid", [...new Set(problems)].join("\n"), {
    hint: runtime.describedIn(contract.name),
  })
}

interface Asked {
  readonly name: string
  readonly names: readonly string[]
  readonly runtime: Runtime
}

/** An access key of ours with a session token that happens to be in the environment would be refused: families stay together. */
function textOf(contract: Contract, { name, names, runtime }: Asked): string | undefined {
  const { family } = metaOf(contract, name)
  const relatives = family ? names.filter((other) => metaOf(contract, other).family === family) : [name]
  const ranks = relatives.map((relative) => sourcesOf(contract, relative, runtime))
  const rank = Math.min(
    ...ranks.map((sources) => sources.findIndex((text) => text !== undefined)).filter((at) => at >= 0),
  )
  return sourcesOf(contract, name, runtime)[rank]
}

/** The input itself, then each variable it may come from. */
function sourcesOf(contract: Contract, name: string, runtime: Runtime): readonly (string | undefined)[] {
  const variables = metaOf(contract, name).env ?? []
  return [runtime.given(name), ...variables.map((variable) => present(runtime.env[variable]))]
}

/** The one place where empty becomes absent. Outer white space is never meant. */
export function present(text: string | undefined): string | undefined {
  const trimmed = text?.replaceAll("\r\n", "\n").trim()
  return trimmed === "" ? undefined : trimmed
}

function refuseUnknown(contract: Contract, names: readonly string[], runtime: Runtime): void {
  const unknown = runtime.givenNames().filter((name) => !names.includes(name))
  if (unknown.length === 0) return
  const problems = unknown.map((name) => `\`${contract.name}\` has no input \`${name}\`; ${didYouMean(name, names)}`)
  throw inputError("input-unknown", problems.join("\n"), { hint: "Correct the name, or remove it." })
}

function explain(
  contract: Contract,
  issue: z.core.$ZodIssue,
  texts: ReadonlyMap<string, string | undefined>,
  runtime: Runtime,
): string {
  const name = String(issue.path[0] ?? "")
  const text = texts.get(name)
  const meta = metaOf(contract, name)
  if (text === undefined) return `input \`${name}\` is missing: give it ${runtime.placeOf(name)}. ${meta.description}`
  if (meta.secret) return `input \`${name}\` ${wrong(issue)}`
  return `input \`${name}\` ${wrong(issue)} (got ${JSON.stringify(text.slice(0, 60))})${meantValue(issue)}`
}

/** Of a word that a list of values does not have, the one that it comes near. */
function meantValue(issue: z.core.$ZodIssue): string {
  if (issue.code !== "invalid_value" || typeof issue.input !== "string") return ""
  const meant = closest(issue.input, issue.values.map(String))
  return meant ? `; did you mean \`${meant}\`?` : ""
}

function metaOf(contract: Contract, name: string) {
  const schema = contract.inputs.shape[name]
  if (!schema) throw new TypeError(`no input ${name}`)
  return inputMeta(schema)
}
