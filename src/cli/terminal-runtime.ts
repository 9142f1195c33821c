import { createMasking } from "../action/masking.ts"
import { present } from "../action/read-inputs.ts"
import { runOf } from "../action/run-of.ts"
import type { Failure, Runtime, Scalar } from "../action/runtime.ts"
import type { Arguments } from "./arguments.ts"
import { terminalLogger, visible } from "./terminal-logger.ts"

export interface TerminalOptions {
  readonly arguments: Arguments
  readonly env: Runtime["env"]
  readonly directory: string
  /** Where people read: standard error. */
  readonly writeLog: (text: string) => void
}

/** A terminal: logs for people, outputs kept until the end. */
export interface TerminalRuntime extends Runtime {
  /** The outputs as one JSON object, or one `name=value` a line. */
  result(): string
}

export function terminalRuntime({ arguments: given, env, directory, writeLog }: TerminalOptions): TerminalRuntime {
  const masking = createMasking()
  const outputs = new Map<string, Scalar>()
  const hide = (value: Scalar) => (typeof value === "string" ? masking.apply(value) : value)
  return {
    env,
    directory,
    run: runOf(env),
    log: terminalLogger(masking, writeLog),
    given: (name) => present(given.inputs.get(name)),
    givenNames: () => [...given.inputs.keys()],
    placeOf: (name) => `as \`--${name}\`, or in the environment if it is a secret`,
    written: (name, value) => (value === undefined ? `--${name}` : `--${name} ${value}`),
    describedIn: (action) => `\`infra-actions ${action} --help\` tells its inputs.`,
    mask: (secret) => void masking.add(secret),
    output: (values) => {
      for (const [name, value] of Object.entries(values)) outputs.set(name, hide(value))
    },
    summary: async (markdown) => {
      if (!given.json) writeLog(`\n${visible(masking.apply(markdown))}\n`)
    },
    saveState: () => {},
    fail: (failure) => writeLog(visible(masking.apply(shown(failure)))),
    result: () => {
      if (given.json) return `${JSON.stringify(Object.fromEntries(outputs))}\n`
      return [...outputs].map(([name, value]) => `${name}=${visible(String(value)).replaceAll("\n", "\\n")}\n`).join("")
    },
  }
}

function shown({ title, message, hint, stack }: Failure): string {
  return [`${title}: ${message}`, ...(hint ? [hint] : []), ...(stack ? [stack] : []), ""].join("\n")
}
