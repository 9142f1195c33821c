import type { Progress } from "../../core/progress.ts"
import type { Container } from "../../docker/stack.ts"
import { hashingScript } from "../../remote/hashing-script.ts"
import { remoteScript } from "../../remote/scripts.ts"
import { insideScript } from "./inside.ts"
import { markedLines, progressOf, valuesOf } from "./marked-lines.ts"

/**
 * Where the programs of a server's image run for one backup or restore: beside the server, in a throw-away container of
 * its image, or inside the server's own where that cannot be (`postgres-place.sh` says how and why).
 */
export interface Place {
  /** What a script of `placedScript` takes first, for a database of so many bytes. */
  wordsFor(size: number): readonly string[]
  /** The bytes that such a script tells; says once in the log when it had to run inside, as the next ones do at once then. */
  progress(nonce: string, total: number | undefined): Progress
}

/** From which size on, in bytes, a container is worth its start unless told. */
const worthwhile = 64 * 2 ** 20

export function placeOf(container: Container, from: number = worthwhile): Place {
  let isRefused = false
  const refusal = (line: string, nonce: string): string | undefined => {
    const [why] = valuesOf(markedLines(line, nonce), "inside")
    if (why === undefined || isRefused) return undefined
    isRefused = true
    return `no container can run beside ${container.name}, so its data goes through docker exec, which takes longer: ${why}`
  }
  return {
    wordsFor: (size) =>
      isRefused || size < from
        ? [container.id, "", "", ""]
        : [container.id, container.imageId, insideScript("login"), insideScript("beside")],
    progress: (nonce, total) => ({ ...progressOf(nonce, total), say: (line) => refusal(line, nonce) }),
  }
}

/** Of the containers that run beside this one; a filter of `docker ps`. */
export function besideLabel(id: string): string {
  return `label=infra-actions.beside=${id}`
}

/** The text of a script that runs its programs where `wordsFor` says. */
export function placedScript(name: string): string {
  return `${remoteScript("postgres-place")}\n${hashingScript(name)}`
}
