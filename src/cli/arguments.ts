import type { Contract } from "../action/contract.ts"
import { didYouMean } from "../action/did-you-mean.ts"
import { inputMeta, isFlag } from "../action/input.ts"
import { inputError } from "../core/errors.ts"

export interface Arguments {
  /** Inputs by name, as they were typed. */
  readonly inputs: ReadonlyMap<string, string>
  readonly json: boolean
  readonly help: boolean
}

/**
 * Reads `--name value`, `--name=value` and flags for an action. Throws an input error `flag-unknown`, `flag-value`,
 * `flag-twice` or, for a secret (anybody on the machine sees a command line), `flag-secret`.
 */
export function parseArguments(contract: Contract, words: readonly string[]): Arguments {
  const inputs = new Map<string, string>()
  const switches = new Set<string>()
  const left = [...words]
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    const { name, value } = split(word, contract)
    if (isSwitch(name)) {
      if (value !== undefined) throw inputError("flag-value", `\`--${name}\` takes no value`, { hint })
      switches.add(name)
      continue
    }
    if (inputs.has(name))
      throw inputError("flag-twice", `\`--${name}\` is given twice`, { hint: "Leave one of them out." })
    inputs.set(name, value ?? valueAfter(contract, name, left))
  }
  return { inputs, json: switches.has("json"), help: switches.has("help") }
}

const switchNames = ["json", "help"] as const

function isSwitch(name: string): boolean {
  return switchNames.some((one) => one === name)
}

function split(word: string, contract: Contract): { readonly name: string; readonly value: string | undefined } {
  if (word === "-h") return { name: "help", value: undefined }
  const [, name, value] = /^--([^=]+)(?:=([\s\S]*))?$/.exec(word) ?? []
  if (name === undefined)
    throw inputError("flag-unknown", `\`${word}\` is not understood: inputs are given as \`--name value\``, { hint })
  if (isSwitch(name)) return { name, value }
  const schema = contract.inputs.shape[name]
  const known = Object.keys(contract.inputs.shape).filter((one) => !metaOf(contract, one)?.secret)
  if (!schema)
    throw inputError(
      "flag-unknown",
      `\`${contract.name}\` has no \`--${name}\`; ${didYouMean(name, known, (one) => `--${one}`)}`,
      {
        hint,
      },
    )
  const meta = inputMeta(schema)
  if (meta.secret)
    throw inputError("flag-secret", `\`--${name}\` is a secret, and everybody on this machine can see a command line`, {
      hint: `Set the environment variable ${meta.env?.[0] ?? name.toUpperCase().replaceAll("-", "_")} instead.`,
    })
  return { name, value }
}

const hint = "Add --help to see what there is."

function metaOf(contract: Contract, name: string) {
  const schema = contract.inputs.shape[name]
  return schema && inputMeta(schema)
}

function valueAfter(contract: Contract, name: string, left: string[]): string {
  const schema = contract.inputs.shape[name]
  if (schema && isFlag(schema)) return /^(true|false)$/i.test(left[0] ?? "") ? String(left.shift()) : "true"
  const next = left.shift()
  if (next === undefined || next.startsWith("--"))
    throw inputError("flag-value", `\`--${name}\` needs a value`, { hint })
  return next
}
