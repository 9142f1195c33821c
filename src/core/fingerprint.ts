/** Facts about a data service's data that a restart must not change. */
export interface Fingerprint {
  readonly service: string
  /** By name, for example `system-identifier`, `db0.keys`; compared as text. */
  readonly facts: Readonly<Record<string, string>>
}

export interface FingerprintDifference {
  readonly service: string
  readonly fact: string
  readonly before: string
  readonly after: string
}

/** Every fact that differs, is missing or has come up. Empty means: the same data. */
export function compareFingerprints(
  before: readonly Fingerprint[],
  after: readonly Fingerprint[],
): readonly FingerprintDifference[] {
  const services = new Set([...before, ...after].map((one) => one.service))
  return [...services].flatMap((service) => {
    const old = factsOf(before, service)
    const now = factsOf(after, service)
    return [...new Set([...Object.keys(old), ...Object.keys(now)])]
      .filter((fact) => old[fact] !== now[fact])
      .map((fact) => ({ service, fact, before: old[fact] ?? "(none)", after: now[fact] ?? "(none)" }))
  })
}

function factsOf(fingerprints: readonly Fingerprint[], service: string): Readonly<Record<string, string>> {
  return fingerprints.find((one) => one.service === service)?.facts ?? {}
}
