import { type Command, type Effect, script } from "../shell/command.ts"
import { remoteScript } from "./scripts.ts"

type Library = "lease" | "keeper"

const files: Readonly<Record<Library, readonly string[]>> = {
  lease: ["fence", "lease"],
  keeper: ["fence", "lease", "keeper"],
}

/**
 * Calls a shell function of `lease.sh` or `keeper.sh` with arguments. The text only defines functions before its last
 * line, so a text that arrives cut does nothing.
 */
export function remoteCall(
  library: Library,
  effect: Effect,
  { name, args }: { readonly name: string; readonly args: readonly (string | number)[] },
): Command {
  return script(effect, program(files[library]), [name, ...args])
}

/** The program that runs detached beside a piece of work; it gets the name of its function and the work's folder. */
export function jobProgram(): string {
  return program([...files.keeper, "job"])
}

/** Ends the script it stands in with code 79 unless claim `number` of the lock `directory` still holds it. */
export function fenceText(directory: string, number: number): Command {
  return script("read", `set +f\n${withoutComments(remoteScript("fence"))}\nlease_held "$1" "$2"`, [directory, number])
}

function program(names: readonly string[]): string {
  return `${names.map((name) => withoutComments(remoteScript(name))).join("\n")}\n"$@"\n`
}

/** Less to send with each call. These files have no text of several lines in which a line could begin with `#`. */
function withoutComments(text: string): string {
  return text.replace(/^ *#.*\n/gm, "")
}
