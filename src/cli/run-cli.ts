import manifest from "../../package.json" with { type: "json" }
import { didYouMean } from "../action/did-you-mean.ts"
import type { Action } from "../action/outcome.ts"
import { type ExitCode, failedCode, failureOf, giveUp, perform } from "../action/perform.ts"
import { abortOnSignals } from "../action/run-action.ts"
import { inputError, messageOf } from "../core/errors.ts"
import { type Arguments, parseArguments } from "./arguments.ts"
import { actionHelp, generalHelp } from "./help.ts"
import { withSshFiles } from "./ssh-files.ts"
import { terminalRuntime } from "./terminal-runtime.ts"

/** Runs one action from the command line: logs on standard error, outputs on standard output. Gives the exit code. */
export async function runCli(actions: readonly Action[], words: readonly string[]): Promise<ExitCode> {
  const [name, ...rest] = words
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    process.stdout.write(generalHelp(actions.map(({ contract }) => contract)))
    return name === undefined ? 2 : 0
  }
  if (name === "--version") {
    process.stdout.write(`${manifest.version}\n`)
    return 0
  }
  let code: ExitCode = 2
  try {
    const action = find(actions, name)
    code = failedCode(action.contract)
    const given = parseArguments(action.contract, rest)
    if (!given.help) return await run(action, given)
    process.stdout.write(actionHelp(action.contract))
    return 0
  } catch (error) {
    // Only what stands on the command line is wrong here: the action has not begun.
    const { title, hint } = failureOf(error)
    process.stderr.write(`${title}: ${messageOf(error)}\n${hint ? `${hint}\n` : ""}`)
    return code
  }
}

function find(actions: readonly Action[], name: string): Action {
  const action = actions.find(({ contract }) => contract.name === name)
  if (action) return action
  const known = actions.map(({ contract }) => contract.name)
  throw inputError("action-unknown", `there is no action \`${name}\`; ${didYouMean(name, known)}`, {
    hint: "infra-actions --help tells what each does.",
  })
}

async function run(action: Action, given: Arguments): Promise<ExitCode> {
  const runtime = terminalRuntime({
    arguments: given,
    env: withSshFiles(process.env),
    directory: process.cwd(),
    writeLog: (text) => void process.stderr.write(text),
  })
  process.on("uncaughtException", (error) => process.exit(giveUp(action.contract, error, runtime).exitCode))
  const { exitCode } = await perform(action, runtime, abortOnSignals())
  process.stdout.write(runtime.result())
  return exitCode
}
