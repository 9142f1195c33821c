import { keyRanges, keysIn, persistentKeys } from "../../core/key-counts.ts"
import type { KeysContents } from "../../core/manifest.ts"
import type { ServerAnswer } from "./server-answer.ts"

export interface Comparison {
  /** One line each; empty means: the same, as far as it can be told. */
  readonly different: readonly string[]
  /** What could not be compared exactly, one sentence; undefined when everything could. */
  readonly caveat: string | undefined
}

/**
 * What a server has loaded, against what the snapshot held. `read`: how many keys it says that it read, those that had run
 * out by then included; undefined when it does not tell. Fewer than were written is a loss. By database, keys without an
 * expiry must be equal to the last; those with one may be fewer, since they go on running out. Where writes went on beside
 * the snapshot a database has a range, which counts only when the server does not tell what it read. More keys than
 * expected are only somebody's new ones where it does.
 */
export function compareLoaded(
  contents: KeysContents,
  { keyspace }: Pick<ServerAnswer, "keyspace">,
  read: number | undefined,
): Comparison {
  const total = keysIn(contents)
  const isRanged = contents.earlier !== undefined
  const isTold = read !== undefined && !(isRanged && contents.written === undefined)
  // Dragonfly's two counts are of two programs: more read than written is no loss. The others count the file itself.
  const isWrong = isTold && (contents.written === undefined ? read !== total : read < total)
  const different = isWrong ? [`it read ${read} keys, the snapshot holds ${total}`] : []
  if (isRanged && isTold) return { different, caveat: uncertain(contents) }
  const found = persistentKeys(keyspace)
  const ranges = keyRanges(contents)
  for (const database of new Set([...ranges.keys(), ...found.keys()])) {
    const { least, most } = ranges.get(database) ?? { least: 0, most: 0 }
    const is = found.get(database) ?? 0
    if (is >= least && (is <= most || isTold)) continue
    const expected = least === most ? `${least}` : `${least} to ${most}`
    different.push(`db${database} has ${is} keys without expiry instead of ${expected}`)
  }
  return { different, caveat: isRanged ? unread() : undefined }
}

function uncertain({ keyspace, earlier = [] }: KeysContents): string | undefined {
  const databases = new Set([...keyspace, ...earlier].map(({ database }) => database))
  if (databases.size < 2) return undefined
  return "All its keys were read; how many of them each database holds is known only from before and after the snapshot, for writes went on."
}

function unread(): string {
  return "Writes went on beside the snapshot and the server does not tell how many keys it read: their number lies where it lay before and after."
}
