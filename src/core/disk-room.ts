import { formatBytes } from "./bytes.ts"

/** A disk as `df` tells of it, in bytes. */
export interface Disk {
  readonly size: number
  readonly free: number
}

/** What is going to be written where. */
export interface DiskNeed {
  /** As the message names it. */
  readonly where: string
  readonly disk: Disk
  /** Bytes. */
  readonly takes: number
}

/** Share of a disk that the live services keep free whatever we take. */
const reserve = 0.05

/**
 * One sentence for each place that is too small for what is taken there, all that lands on the same disk added up; one
 * whose disk gave no numbers is, too. `what` is the sentence's subject, `the drill`.
 */
export function lackOfRoom(needs: readonly DiskNeed[], what: string): readonly string[] {
  return needs.flatMap(({ where, disk, takes: own }) => {
    if (own === 0) return []
    if (!Number.isFinite(disk.free)) return [`the free room of ${where} cannot be found out`]
    const takes = needs.reduce((sum, one) => sum + (isSameDisk(one.disk, disk) ? one.takes : 0), 0)
    if (disk.free - takes >= disk.size * reserve) return []
    return [`${where} has ${formatBytes(disk.free)} free; ${what} takes ${formatBytes(takes)} there and must leave 5 %`]
  })
}

/** The same needs once `bytes` of that disk are free as well. */
export function withRoomGiven(needs: readonly DiskNeed[], given: Disk, bytes: number): readonly DiskNeed[] {
  return needs.map((one) =>
    isSameDisk(one.disk, given) ? { ...one, disk: { ...one.disk, free: one.disk.free + bytes } } : one,
  )
}

/** A container's own layer and a volume are two file systems with the numbers of one disk, which is written to meanwhile. */
function isSameDisk(one: Disk, other: Disk): boolean {
  return one.size === other.size && Math.abs(one.free - other.free) <= one.size / 100
}
