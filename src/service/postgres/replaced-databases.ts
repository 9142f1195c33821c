import { failure, refusal } from "../../core/errors.ts"
import type { Container } from "../../docker/stack.ts"
import type { Work } from "../../host/work.ts"
import type { ReplacedData, Service } from "../driver.ts"
import { dropSql } from "./drop-sql.ts"
import { applyInside, named } from "./inside.ts"
import { markOf, readServer } from "./server-facts.ts"

/** The databases that restores replaced and kept, oldest first; one that does not say when comes last. */
export async function replacedDatabases(service: Service, container: Container): Promise<readonly ReplacedData[]> {
  const { databases } = await readServer(service, container)
  return databases
    .flatMap((one) => {
      const mark = markOf(one)
      if (mark?.["infra-actions"] !== "replaced") return []
      const { name: was, at, run, failed } = mark
      return [{ name: one.name, was, at, run, bytes: one.size, ...(failed && { failed }) }]
    })
    .toSorted((a, b) => (a.at ?? "9").localeCompare(b.at ?? "9"))
}

/** Drops such databases. Refuses a name that is not, or not any more, of a replaced database, and one that holds a replication slot. */
export async function removeReplaced(
  service: Service,
  container: Container,
  { names, work }: { readonly names: readonly string[]; readonly work: Work },
): Promise<void> {
  if (names.length === 0) return
  const { databases } = await readServer(service, container)
  for (const name of names) {
    const found = databases.find((one) => one.name === name)
    if (!found || markOf(found)?.["infra-actions"] !== "replaced")
      throw refusal("not-replaced", `"${name}" of ${service.name} is not a database that a restore replaced`)
    if (found.slots.length > 0)
      throw refusal("postgres-replication", `"${name}" holds the replication slot "${found.slots[0]}"`, {
        hint: "Dropping the database would drop the slot: drop it yourself first if nobody needs it.",
      })
  }
  await work
    .step(`remove-replaced-${service.name}`, applyInside(container), { input: names.map(dropSql).join("\n") })
    .catch((error: unknown) => {
      throw named(`dropping replaced databases of ${service.name}`, "postgres-clean-failed", error)
    })
  const left = await work.check(
    `removed-replaced-${service.name}`,
    async () => (await readServer(service, container)).databases.map((one) => one.name),
    [],
  )
  const there = names.filter((name) => left.includes(name))
  if (there.length > 0) throw failure("postgres-clean-failed", `still there after dropping: ${there.join(", ")}`)
}
