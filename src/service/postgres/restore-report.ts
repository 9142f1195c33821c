import type { DatabaseContents } from "../../core/manifest.ts"
import type { Service } from "../driver.ts"
import { identifier } from "./identifiers.ts"
import type { Beside, Restored } from "./restore-job.ts"
import type { ServerFacts } from "./server-facts.ts"

/** Where the replaced data is, and what came back in another way. */
export function keptSentence(
  service: Service,
  restored: readonly Restored[],
  { expected, dropped }: { readonly expected: readonly DatabaseContents[]; readonly dropped: boolean },
): string {
  const old = restored.filter((one) => one.exists).map((one) => `"${one.old}"`)
  const nothing = dropped
    ? `The disk of ${service.name} had no room for both: what was there was dropped before`
    : "There was nothing to replace"
  const kept = old.length === 0 ? nothing : `The replaced data of ${service.name} is in ${old.join(", ")}`
  const changed = restored.flatMap((one) => otherVersions(one, expected))
  const versions = changed.length === 0 ? "" : `; extensions came in other versions: ${changed.join(", ")}`
  const subscriptions = restored.filter((one) => one.subscriptions > 0).map((one) => `"${one.live}"`)
  return subscriptions.length === 0
    ? `${kept}${versions}.`
    : `${kept}${versions}; subscriptions of ${subscriptions.join(", ")} came back stopped.`
}

/** What is not as it was, though all that was backed up is there. */
export function caveatOf(
  { databases }: ServerFacts,
  restored: readonly Restored[],
  ofRoles: readonly string[],
): string | undefined {
  const closed = databases
    .filter((one) => !one.connectable && restored.some(({ live }) => live === one.name))
    .map(
      ({ name }) =>
        `"${name}" was closed to connections, and is open now. To close it: ALTER DATABASE ${identifier(name)} ALLOW_CONNECTIONS false.`,
    )
  const views = restored.flatMap(({ live, unfilled, reasons }) =>
    unfilled.length === 0 ? [] : [`${unfilled.join(", ")} of "${live}" (${reasons.join("; ")})`],
  )
  const unfilled = `materialized views could not be filled again: ${views.join(", ")}. Whoever reads them gets an error until REFRESH MATERIALIZED VIEW succeeds.`
  const all = [...closed, ...ofRoles, ...(views.length > 0 ? [unfilled] : [])]
  return all.length > 0 ? all.join(" ") : undefined
}

/** `pg_trgm 1.6 (was 1.5)`, of one database. */
function otherVersions({ contents }: Beside, expected: readonly DatabaseContents[]): readonly string[] {
  const before = expected.find((one) => one.name === contents.name)?.extensions ?? []
  return (contents.extensions ?? []).flatMap(({ name, version }) => {
    const was = before.find((one) => one.name === name)?.version
    return was === undefined || was === version ? [] : [`${name} ${version} (was ${was})`]
  })
}
