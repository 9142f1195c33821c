import { formatBytes } from "./bytes.ts"
import { formatDuration } from "./duration.ts"

/** How far a step has come, told by lines of its own output. */
export interface Progress {
  /** Bytes done that a line tells; undefined for every other line. */
  readonly read: (line: string) => number | undefined
  /** Bytes that it will be in all, as far as anybody knows; asked anew each time. */
  readonly total?: number | undefined
  /** A sentence for the log that a line asks for. */
  readonly say?: (line: string) => string | undefined
  /** Bytes that were done before it began. */
  readonly from?: number
}

/**
 * Turns bytes done into lines for the log, `dump: 512.0 MiB of about 1.4 GiB, 85.3 MiB/s, about 10.7s left`: the first
 * after 5 seconds, then one every 15, after 10 minutes one a minute; undefined in between. `now` gives milliseconds.
 */
export function progressLines(
  name: string,
  progress: Omit<Progress, "read">,
  now: () => number,
): (done: number) => string | undefined {
  const start = now()
  let next = start + 5000
  return (done) => {
    const time = now()
    if (time < next) return undefined
    next = time + (time - start < 600_000 ? 15_000 : 60_000)
    const { total, from = 0 } = progress
    const rate = ((done - from) * 1000) / (time - start)
    const told = `${name}: ${formatBytes(done)}${total === undefined ? "" : ` of about ${formatBytes(total)}`}`
    const left = total !== undefined && rate > 0 && total > done ? (total - done) / rate : undefined
    const end = left === undefined ? "" : `, about ${formatDuration(left * 1000)} left`
    return `${told}, ${formatBytes(Math.round(rate))}/s${end}`
  }
}
