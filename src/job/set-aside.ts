import { posix } from "node:path"
import { remoteScript } from "../remote/scripts.ts"
import { type Command, change, type Effect, sh } from "../shell/command.ts"

export interface Aside {
  /** An image on the host with a shell: the directory belongs to the server's own user, so root in a container moves it. */
  readonly imageId: string
  /** Absolute path on the host. */
  readonly directory: string
  /** Where its content is kept: a path beside it. */
  readonly aside: string
}

/**
 * Names beside a data directory, dated, for what makes room and for what takes its place in vain. With the time besides the
 * backup, for two tries with one backup must not meet.
 */
export function besidePaths(
  directory: string,
  { id, now }: { readonly id: string; readonly now: Date },
): { readonly aside: string; readonly failed: string } {
  const time = now.toISOString().slice(11, 19).replaceAll(":", "")
  return { aside: `${directory}.aside-${id}-${time}`, failed: `${directory}.failed-${id}-${time}` }
}

/** Renames a data directory of a stopped server and puts an empty one with the same owner in its place (S2). */
export function setAside({ imageId, directory, aside }: Aside): Command {
  const names = [directory, aside].map((path) => posix.basename(path))
  return besideDirectory("set-aside", { imageId, directory, names, effect: "change" })
}

/** Puts the directory back that `setAside` renamed; what lies in its place now is kept as `failed`, and then said (`kept`). Can be repeated. */
export function putAsideBack({ imageId, directory, aside }: Aside, failed: string): Command {
  const names = [directory, aside, failed].map((path) => posix.basename(path))
  return besideDirectory("put-aside-back", { imageId, directory, names, effect: "change" })
}

export interface Beside extends Omit<Aside, "aside"> {
  /** Arguments of the script, of entries of the parent of `directory`. */
  readonly names: readonly string[]
  readonly effect: Effect
}

/** Runs a script, as root in a container without network, where `directory` lies. */
export function besideDirectory(name: string, { imageId, directory, names, effect }: Beside): Command {
  const template = effect === "change" ? change : sh
  return template`docker run --rm --pull never --network none --user 0 --label infra-actions.scratch=1 --entrypoint sh \
  --volume ${`${posix.dirname(directory)}:/parent`} ${imageId} -c ${remoteScript(name)} sh /parent ${names}`
}
