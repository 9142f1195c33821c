import { quote } from "./quote.ts"
import { Secret } from "./secret.ts"

/** `read` leaves the host as it is; `change` does not, and is what a dry run shows instead of doing. */
export type Effect = "read" | "change"

const made = Symbol("command")

/** POSIX shell text whose every inserted value is quoted. Made only by the `sh` and `change` templates. */
export interface Command {
  readonly text: string
  readonly effect: Effect
  readonly [made]: true
}

/** A string is quoted, an array is quoted word by word, a number is printed, a Command is inserted as it is. */
export type Word = string | number | Command | readonly (string | number)[]

type Template = (strings: TemplateStringsArray, ...words: readonly Word[]) => Command

/** A command that only looks: ``sh`docker inspect ${ids}` ``. */
export const sh: Template = (strings, ...words) => compose("read", strings, words)

/** A command that changes the host: ``change`docker stop ${id}` ``. */
export const change: Template = (strings, ...words) => compose("change", strings, words)

/** The text of a script file of ours, as a command with positional parameters `$1`, `$2` ... set to `args`. */
export function script(effect: Effect, text: string, args: readonly (string | number)[] = []): Command {
  return command(effect, `set -- ${render(args)}\n${text}`)
}

/** Several commands, each on its own line, in order; it changes the host when one of them does. */
export function lines(...commands: readonly Command[]): Command {
  const effect = commands.some((one) => one.effect === "change") ? "change" : "read"
  return command(effect, commands.map((one) => one.text).join("\n"))
}

export function isCommand(value: unknown): value is Command {
  return typeof value === "object" && value !== null && made in value
}

function compose(effect: Effect, strings: TemplateStringsArray, words: readonly Word[]): Command {
  const inserted = words.filter(isCommand)
  const text = strings.map((part, index) => part + (index < words.length ? render(words[index] as Word) : "")).join("")
  return command(inserted.some((one) => one.effect === "change") ? "change" : effect, text)
}

function render(word: Word): string {
  if (isCommand(word)) return word.text
  if (Array.isArray(word)) return word.map(render).join(" ")
  if (typeof word === "string") return quote(word)
  if (typeof word === "number" && Number.isFinite(word)) return String(word)
  if ((word as unknown) instanceof Secret)
    throw new TypeError("a Secret cannot be part of a command: pass it on standard input")
  throw new TypeError(`a ${typeof word} cannot be part of a command`)
}

function command(effect: Effect, text: string): Command {
  return Object.freeze({ text, effect, [made]: true as const })
}
