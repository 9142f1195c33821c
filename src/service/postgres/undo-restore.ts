import { failure, refusal } from "../../core/errors.ts"
import type { Container } from "../../docker/stack.ts"
import type { Work } from "../../host/work.ts"
import type { Service } from "../driver.ts"
import { assertReplaceable } from "./assert-replaceable.ts"
import { besideName, identifier, literal } from "./identifiers.ts"
import { execInside, named } from "./inside.ts"
import { newNonce } from "./marked-lines.ts"
import { dropLeftovers, makeNothing } from "./restore-steps.ts"
import { assumedServer, type DatabaseMark, markOf, readServer, type ServerFacts, serverFor } from "./server-facts.ts"
import { markLeftover, markReplaced, moveAside } from "./swap-sql.ts"

/** Which restore is taken back; the last one unless told. */
export interface Taken {
  /** One of the works with these ids. */
  readonly only?: readonly string[]
  /** It did not come to its end: what it had brought is not to come back by an undo. */
  readonly failed?: boolean
}

interface Kept {
  readonly name: string
  readonly mark: DatabaseMark
}

interface Undo extends Pick<Required<Taken>, "failed"> {
  /** What comes back. */
  readonly back: readonly Kept[]
  /** What only says that there was none of these databases. */
  readonly none: readonly Kept[]
  /** Live databases that make room. */
  readonly aside: readonly string[]
  /** The id under which they are kept. */
  readonly run: string
  /** What says that none of them was live, where none makes room. */
  readonly nothing: { readonly live: string; readonly old: string } | undefined
}

/**
 * Takes the last restore back in one transaction: every database that it replaced gets its name again, with the rights
 * and settings it always had, and where there was none there is none again; what it had brought is kept aside in the same
 * way, so that this can be taken back too, unless it is of a restore that failed.
 * Throws `nothing-to-undo`, with what there is, when no restore left anything, or none of the works whose ids `only` names.
 */
export async function undoRestore(
  service: Service,
  container: Container,
  work: Work,
  { only, failed = false }: Taken = {},
): Promise<string> {
  const server = await serverFor(work, { service, container, assumed: assumedServer })
  const last = lastReplaced(server, only)
  const aside = lost(server, last)
  assertReplaceable(server, [...aside, ...last.map((one) => one.name)])
  if (last.length === 0 && !work.dryRun)
    throw refusal("nothing-to-undo", `${service.name} has no database that a restore replaced`, {
      hint: "Only what a restore kept can be brought back; restore a backup instead.",
    })
  const [back, none] = [last.filter((one) => !one.mark.nothing), last.filter((one) => one.mark.nothing)]
  // What was moved aside only to be dropped was live until just now: there never was nothing.
  const isEmpty = aside.length === 0 && !back.some(({ mark }) => mark.leaving)
  const live = isEmpty ? back[0]?.mark.name : undefined
  const run = freeRun(server, live === undefined ? aside : [live], work.id)
  const nothing = live === undefined ? undefined : { live, old: besideName(live, "old", run) }
  if (nothing) await makeNothing({ service, container, work }, nothing)
  const sql = undoSql(server, { back, none, aside, run, nothing, failed })
  const names = JSON.stringify([...aside, ...back.map((one) => one.name)])
  await work
    .step(`undo-${service.name}`, execInside("change", container, { name: "swap", args: [newNonce(), names] }), {
      input: sql,
    })
    .catch((error: unknown) => {
      throw named(`undoing the restore of ${service.name}`, "postgres-undo-failed", error)
    })
  const wrong = await work.check(`undone-${service.name}`, () => notBack(service, container, { back, none }), [])
  if (wrong.length > 0) throw failure("postgres-undo-failed", `after the undo of ${service.name}: ${wrong.join(", ")}`)
  if (none.length > 0) await dropLeftovers({ service, container, work, server: await readServer(service, container) })
  return told(service, last, { back, none, aside, run })
}

/** `"app" of postgres as before the restore; what it had brought is in "app__old_0a1b2c3d".` */
function told(
  { name }: Service,
  last: readonly Kept[],
  { back, none, aside, run }: Pick<Undo, "back" | "none" | "aside" | "run">,
): string {
  const there = quoted(back.map(({ mark }) => mark.name))
  const absent = quoted(none.flatMap(({ mark }) => mark.made))
  const state = [...(there ? [`${there} of ${name}`] : []), ...(absent ? [`no ${absent} in ${name}`] : [])]
  const brought = quoted(aside.map((one) => besideName(one, "old", run)))
  const where = brought && `; what it had brought is in ${brought}`
  return `${state.join(", and ")} as before the restore${at(last)}${where}.`
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(", ")
}

/** The work's id, by which what one undo put aside in several services belongs together, unless a restore of the very same work has the names. */
function freeRun({ databases }: ServerFacts, aside: readonly string[], id: string): string {
  const taken = new Set(databases.map(({ name }) => name))
  for (let count = 0; ; count += 1) {
    const run = count === 0 ? id : `${id}-undo-${count}`
    if (!aside.some((name) => taken.has(besideName(name, "old", run)))) return run
  }
}

/** Those of the newest restore; several of one restore were replaced in one transaction and go back in one. */
function lastReplaced(server: ServerFacts, only?: readonly string[]): readonly Kept[] {
  const kept = server.databases.flatMap((one) => {
    const mark = markOf(one)
    const counts = mark?.run !== undefined && !mark.failed && (only?.includes(mark.run) ?? true)
    return counts && mark["infra-actions"] === "replaced" ? [{ name: one.name, mark }] : []
  })
  const newest = kept.toSorted((a, b) => (b.mark.at ?? "").localeCompare(a.mark.at ?? ""))[0]
  return kept.filter((one) => one.mark.run === newest?.mark.run)
}

/** Live databases that have to make room: those of the names, and those that the restore made where nothing was. */
function lost(server: ServerFacts, last: readonly Kept[]): readonly string[] {
  const live = new Set(server.databases.map((one) => one.name))
  const names = last.flatMap(({ mark }) => [mark.name, ...mark.made])
  return [...new Set(names)].filter((name) => live.has(name))
}

function undoSql(server: ServerFacts, { back, none, aside, run, nothing, failed }: Undo): string {
  const comments = new Map(server.databases.map((one) => [one.name, one.comment]))
  const made = back.map((one) => one.mark.name).filter((name) => !aside.includes(name))
  const kept = { run, at: server.now, made, ...(failed && { failed }) }
  const statements = [
    ...aside.flatMap((name) =>
      moveAside(name, besideName(name, "old", run), { ...kept, comment: comments.get(name) ?? null }),
    ),
    ...(nothing ? [markReplaced(nothing.live, nothing.old, { ...kept, comment: null, nothing: true })] : []),
    ...back.flatMap(({ name, mark }) => [
      `alter database ${identifier(name)} rename to ${identifier(mark.name)}`,
      `comment on database ${identifier(mark.name)} is ${mark.comment === null ? "null" : literal(mark.comment)}`,
    ]),
    ...none.map(({ name, mark }) => markLeftover(mark.name, name)),
  ]
  return ["begin", ...statements, "commit", ""].join(";\n")
}

/** What is not as it should be, each in a phrase. */
async function notBack(
  service: Service,
  container: Container,
  { back, none }: Pick<Undo, "back" | "none">,
): Promise<readonly string[]> {
  const now = (await readServer(service, container)).databases
  const good = new Set(now.filter((one) => markOf(one) === undefined).map((one) => one.name))
  return [
    ...back.flatMap(({ mark }) => (good.has(mark.name) ? [] : [`"${mark.name}" is not there`])),
    ...none.flatMap(({ mark }) => mark.made.flatMap((name) => (good.has(name) ? [`"${name}" is still there`] : []))),
  ]
}

function at([first]: readonly Kept[]): string {
  return first?.mark.at === undefined ? "" : ` of ${first.mark.at}`
}
