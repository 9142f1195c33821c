/** Facts about a data service's data by which a restart on the same data is told from anything else. */
export interface Fingerprint {
  readonly service: string
  /** What must be equal afterwards: the identity of the data. */
  readonly same: Readonly<Record<string, string>>
  /** What must not be lower afterwards, for it only grows: a position in the log in bytes, a number of keys. */
  readonly atLeast: Readonly<Record<string, number>>
  /** Until when, in seconds since the epoch, some of what runs out by itself has to be there: keys with an expiry. */
  readonly lasting?: Readonly<Record<string, number>> | undefined
  /** When this was asked, in the same seconds by the host's clock; where it is not told, what runs out is not compared. */
  readonly at?: number | undefined
}

export interface FingerprintDifference {
  readonly service: string
  readonly fact: string
  readonly before: string
  readonly after: string
}

/**
 * Every fact that is missing afterwards, differs, or fell, and what is gone although its time was not over. Empty means: the
 * same data, nothing of it lost.
 */
export function compareFingerprints(
  before: readonly Fingerprint[],
  after: readonly Fingerprint[],
): readonly FingerprintDifference[] {
  return before.flatMap((old) => {
    const now = after.find((one) => one.service === old.service)
    const changed = Object.entries(old.same)
      .map(([fact, value]) => ({ fact, before: value, after: now?.same[fact] }))
      .filter((one) => one.before !== one.after)
    const fallen = Object.entries(old.atLeast)
      .map(([fact, value]) => ({ fact, before: value, after: now?.atLeast[fact] }))
      .filter((one) => one.after === undefined || one.after < one.before)
    const gone = Object.entries(old.lasting ?? {})
      .filter(([fact, until]) => now?.at !== undefined && now.at < until && now.lasting?.[fact] === undefined)
      .map(([fact, until]) => ({ fact, before: `some until ${isoTime(until)}`, after: undefined }))
    return [...changed, ...fallen, ...gone].map((one) => ({
      service: old.service,
      fact: one.fact,
      before: String(one.before),
      after: String(one.after ?? "(none)"),
    }))
  })
}

function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000", "")
}
