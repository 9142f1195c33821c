import * as core from "@actions/core"
import { actionsLogger } from "./actions-logger.ts"
import { createMasking } from "./masking.ts"
import { present } from "./read-inputs.ts"
import { runOf } from "./run-of.ts"
import type { Failure, Runtime } from "./runtime.ts"
import { cutSummary } from "./summary.ts"

/** A step of a GitHub workflow: inputs from `INPUT_*`, results into the runner's files. */
export function actionsRuntime(env: NodeJS.ProcessEnv = process.env): Runtime {
  const masking = createMasking()
  const write = (text: string) => void process.stdout.write(text)
  const log = actionsLogger(masking, write)
  return {
    env,
    log,
    directory: env.GITHUB_WORKSPACE ?? process.cwd(),
    run: runOf(env),
    given: (name) => present(env[variableOf(name)]),
    givenNames: () =>
      Object.keys(env)
        .filter((key) => key.startsWith(prefix) && present(env[key]))
        .map(nameOf),
    placeOf: (name) => `under \`with:\` as \`${name}\``,
    written: (name, value) => (value === undefined ? name : `${name}: ${value}`),
    describedIn: (action) => `The inputs of \`${action}\` are described in its README.`,
    mask: (secret) => {
      for (const part of masking.add(secret)) core.setSecret(part)
    },
    output: (outputs) => {
      for (const [name, value] of Object.entries(outputs)) core.setOutput(name, masking.apply(String(value)))
    },
    summary: async (markdown) => {
      if (env.GITHUB_STEP_SUMMARY) await core.summary.addRaw(cutSummary(masking.apply(markdown)), true).write()
    },
    saveState: (name, value) => core.saveState(name, value),
    fail: (failure) => report(failure, masking.apply.bind(masking), log.untrusted),
  }
}

const prefix = "INPUT_"

/** The runner upper-cases a name and makes spaces `_`; hyphens stay. */
function variableOf(name: string): string {
  return `${prefix}${name.replaceAll(" ", "_").toUpperCase()}`
}

function nameOf(variable: string): string {
  return variable.slice(prefix.length).toLowerCase()
}

function report(failure: Failure, mask: (text: string) => string, untrusted: (text: string) => void): void {
  const hint = failure.hint ? `\n${failure.hint}` : ""
  core.error(mask(`${failure.message}${hint}`), { title: failure.title })
  if (failure.stack) untrusted(failure.stack)
}
