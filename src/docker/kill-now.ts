import { type Command, change } from "../shell/command.ts"
import type { Container } from "./stack.ts"

/** Shell text that ends a server that must not save, whatever it is at by now: one that has ended already is no failure. */
export function killNow({ id }: Pick<Container, "id">): Command {
  return change`docker kill ${id} || docker stop -t 0 ${id} || exit; docker wait ${id}`
}
