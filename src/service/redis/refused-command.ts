import { type AppError, refusal } from "../../core/errors.ts"
import { CommandError } from "../../host/host.ts"
import type { Service } from "../driver.ts"
import type { ServerAnswer } from "./server-answer.ts"

/** A command that a server does not know by its name (`rename-command`), or that its access rules forbid, and what it said. */
export interface Refused {
  readonly command: string
  readonly reply: string
}

/** What it refused of what it was asked; undefined when it answered, or said anything else. */
export function refusedOf({ ping, info }: ServerAnswer): Refused | undefined {
  const isRefused = (reply: string) => /^NOPERM|unknown command|restricted command/.test(reply)
  if (isRefused(ping)) return { command: "PING", reply: ping }
  return isRefused(info) ? { command: "INFO", reply: info } : undefined
}

/** The error of a work that needs this command. */
export function commandRefused({ name }: Service, { command, reply }: Refused, cause?: unknown): AppError {
  const rule = `+${command.toLowerCase().replace(" ", "|")}`
  return refusal("redis-command-refused", `${name} refuses the command ${command}: ${reply}`, {
    hint: `Take it out of rename-command, or allow it (ACL SETUSER default ${rule}). PING, INFO, CONFIG GET, BGSAVE and SAVE are needed, by these names.`,
    cause,
  })
}

/** For the end of a promise: throws `redis-command-refused` where a script's failure says so, any other error as it is. */
export function orRefused(service: Service): (error: unknown) => never {
  return (error) => {
    const said = error instanceof CommandError ? error.result.stderr : ""
    const [, command, reply] = /^error refused ([A-Z ]+): (.*)$/m.exec(said) ?? []
    throw command && reply ? commandRefused(service, { command, reply }, error) : error
  }
}
