import { remoteScript, type ScriptName } from "./scripts.ts"

/** The text of a script that uses the shell function `sha256`, behind that function. */
export function hashingScript(name: ScriptName): string {
  return `${remoteScript("sha256")}\n${remoteScript(name)}`
}
