import { readFileSync } from "node:fs"

/**
 * The text of a script that runs on the host, `src/remote/<name>.sh`. The build puts the files' text into the bundle
 * in place of this module.
 */
export function remoteScript(name: ScriptName): string {
  return readFileSync(new URL(`./${name}.sh`, import.meta.url), "utf8")
}

export type ScriptName = string
