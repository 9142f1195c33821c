import type { Container } from "../../docker/stack.ts"
import { remoteScript } from "../../remote/scripts.ts"
import { script } from "../../shell/command.ts"
import type { Service } from "../driver.ts"
import { productOf, type ServerAnswer } from "./server-answer.ts"

/**
 * How many keys a server that has just started says that it read, those that had run out by then included; undefined when
 * it does not tell. Redis and Valkey keep it, Dragonfly writes it into its log.
 */
export async function keysRead(
  service: Service,
  container: Container,
  answer: ServerAnswer,
): Promise<number | undefined> {
  if (productOf(answer).product !== "dragonfly") {
    const { rdb_last_load_keys_loaded: loaded, rdb_last_load_keys_expired: expired } = answer.fields
    return loaded === undefined || expired === undefined ? undefined : Number(loaded) + Number(expired)
  }
  const command = script("read", remoteScript("redis-keys-read"), [container.id])
  const { stdout } = await service.host.run(command, { timeout: 60_000 })
  const read = /num keys read: (\d+)/.exec(stdout)?.[1]
  return read === undefined ? undefined : Number(read)
}
