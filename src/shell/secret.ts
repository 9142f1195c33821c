import { inspect } from "node:util"

const shown = "***"

/**
 * A value that must not be seen. Printing, joining, inspecting or serialising it yields `***`; only `reveal` yields
 * the value, for the line that hands it to standard input or to a client library. It never goes into a command's text.
 */
export class Secret {
  readonly #value: string
  /** What the secret is called in messages, for example the input's name. */
  readonly name: string

  constructor(name: string, value: string) {
    this.name = name
    this.#value = value
  }

  reveal(): string {
    return this.#value
  }

  toString(): string {
    return shown
  }

  toJSON(): string {
    return shown
  }

  [inspect.custom](): string {
    return `Secret(${this.name})`
  }
}
