import { posix } from "node:path"
import { failure } from "../../core/errors.ts"
import type { Container } from "../../docker/stack.ts"
import type { Service } from "../driver.ts"
import { redisScript } from "./ask-server.ts"
import { type KeptNote, readNote } from "./kept-data.ts"

/** A folder of a restore or an undo in a data directory. */
export interface LeftFolder {
  readonly name: string
  /** The data directory, in the container. */
  readonly directory: string
  /** Undefined as long as it was being filled. */
  readonly note: KeptNote | undefined
}

/**
 * Which of the folders with these names lie anywhere on the container's volumes: a server that was stopped does not say
 * where it keeps its data. Throws `restore-unknown` where they are in more than one directory.
 */
export async function findLeft(
  service: Service,
  container: Container,
  names: readonly string[],
): Promise<readonly LeftFolder[]> {
  const places = container.mounts.filter(({ writable, type }) => writable && type !== "tmpfs")
  const args = [container.id, container.imageId, names.join(" "), ...places.map(({ target }) => target)]
  if (places.length === 0) return []
  const command = redisScript("redis-find", { effect: "read", args, parts: ["redis-data"] })
  const found = parseLeft((await service.host.run(command, { timeout: 300_000 })).stdout)
  if (new Set(found.map(({ directory }) => directory)).size < 2) return found
  throw failure(
    "restore-unknown",
    `what a restore left of ${service.name} lies in more than one place: ${found.map((one) => posix.join(one.directory, one.name)).join(", ")}`,
    { hint: "Move copies of its data directory off its volumes." },
  )
}

/** Reads the lines of `redis-find.sh`. Throws when they are not whole. */
export function parseLeft(text: string): readonly LeftFolder[] {
  const lines = text.trimEnd().split("\n")
  if (lines.pop() !== "end" || lines.length % 2 !== 0) throw failure("host-answer", "what a restore left is not told")
  return lines.flatMap((path, index) => {
    if (index % 2 !== 0) return []
    const mark = lines[index + 1] ?? ""
    return [{ name: posix.basename(path), directory: posix.dirname(path), note: readNote(mark.replace(/^\S+ /, "")) }]
  })
}
