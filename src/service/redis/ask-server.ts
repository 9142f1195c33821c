import type { Container } from "../../docker/stack.ts"
import { remoteScript } from "../../remote/scripts.ts"
import { type Command, type Effect, script } from "../../shell/command.ts"
import type { Service } from "../driver.ts"
import { parseAnswer, type ServerAnswer } from "./server-answer.ts"

/** The port inside the container: `services.<name>.port`, else 6379. */
export function portOf(service: Service): number {
  return service.config.port ?? 6379
}

/** One of the `redis-*` scripts with the functions it needs in front of it. */
export function redisScript(name: string, { effect, args, parts = ["redis-client"] }: RedisScriptOptions): Command {
  return script(effect, [...parts, name].map(remoteScript).join("\n"), args)
}

export interface RedisScriptOptions {
  readonly effect: Effect
  readonly args: readonly (string | number)[]
  /** The script files put in front; `redis-client` unless told. */
  readonly parts?: readonly string[]
}

/**
 * What the server in a running container says of itself, in one round trip. An error reply is an answer, and so is none at
 * all: the client in the container gives up long before the host is taken for mute.
 */
export async function askServer(service: Service, container: Container): Promise<ServerAnswer> {
  const seconds = Math.ceil(Math.max(service.config.timeout, 20_000) / 1000)
  const command = redisScript("redis-probe", { effect: "read", args: [container.id, portOf(service), seconds] })
  const { stdout } = await service.host.run(command, { timeout: seconds * 1000 + 10_000 })
  return parseAnswer(stdout)
}

/** One phrase for a server whose answer to PING is not `PONG`. */
export function explainPing({ ping, fields }: ServerAnswer): string {
  if (ping === "PONG") return fields.loading === "0" ? "answers PONG" : "still loads its data"
  if (ping.startsWith("LOADING")) return "still loads its data"
  if (ping.startsWith("NOAUTH") || ping.startsWith("WRONGPASS")) return `refuses the password: ${ping}`
  return ping === "" ? "no answer to PING" : `PING was answered with: ${ping.slice(0, 200)}`
}
