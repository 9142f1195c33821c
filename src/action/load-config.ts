import { readFile } from "node:fs/promises"
import { resolve } from "node:path"
import type { Config } from "../core/config.ts"
import { inputError, messageOf } from "../core/errors.ts"
import { parseConfig } from "../core/parse-config.ts"
import type { ActionContext } from "./outcome.ts"

/** Reads the configuration that the inputs name. Throws an input error `config-missing`, or those of `parseConfig`. */
export async function loadConfig(
  inputs: { readonly config: string; readonly environment: string },
  { directory, env }: Pick<ActionContext, "directory" | "env">,
): Promise<Config> {
  const path = resolve(directory, inputs.config)
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw inputError("config-missing", `input \`config\`: ${path} cannot be read: ${messageOf(cause)}`, {
      hint: "In a workflow put `actions/checkout` before this step; in a terminal give the file's path from here: `--config`.",
      cause,
    })
  })
  return parseConfig(text, { file: inputs.config, environment: inputs.environment, variables: env })
}
