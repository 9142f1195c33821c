import { failure } from "../core/errors.ts"
import { compareFingerprints, type Fingerprint, type FingerprintDifference } from "../core/fingerprint.ts"
import type { Command } from "../shell/command.ts"
import { assertSoleServer, refresh } from "./ensure-running.ts"
import { isOurs } from "./is-ours.ts"
import { containerOf, definitions, holdsData, names, type StackService } from "./stack-services.ts"
import { afterComparing, type StoppedAppNote } from "./stopped-app-note.ts"
import type { Tools } from "./tools.ts"
import { waitHealthy } from "./wait-healthy.ts"

export interface StartOptions {
  /** Data services and others, as they are to be after this. */
  readonly services: readonly StackService[]
  /** What the data must be; services without a fingerprint here are not compared. */
  readonly before: readonly Fingerprint[]
  /** Part of the names of the steps. */
  readonly step: { readonly start: string; readonly wait: string; readonly compare: string }
  /** Shell text that starts these services, and none that they depend on. */
  readonly up: (services: readonly string[]) => Command
  /** Called with the data services healthy, before their data is compared. */
  readonly fill?: () => Promise<void>
  /** Called when the data is proven to be the same, before the rest is started. */
  readonly same?: () => void
}

/** Why something was not started, and what of the data differs where that is why. */
export interface NotStarted {
  readonly error: unknown
  readonly differences: readonly FingerprintDifference[]
  /** The data was compared and the same, and the rest may have been started on it, and have written since. */
  readonly proven: boolean
}

/**
 * Starts the data services alone, compares their data with what it was, and only then starts the rest, which may write
 * to them: what nobody has touched yet is compared. Why not everything serves the same data; undefined when it does.
 * Throws what is not about the services, and, with nothing started, the refusal `data-in-use` (S13).
 */
export async function tryCompared(tools: Tools, options: StartOptions): Promise<NotStarted | undefined> {
  let differences: readonly FingerprintDifference[] = []
  let proven = false
  // Outside of what is tried: no way back helps against another server on the data.
  const data = await refresh(tools, options.services.filter(holdsData))
  await Promise.all(data.map((one) => assertSoleServer(tools, one)))
  try {
    await startData(tools, options)
    differences = await compareData(tools, options)
    assertSame(differences)
    proven = true
    options.same?.()
    await startRest(tools, options)
    return undefined
  } catch (error) {
    if (!isOurs(tools, error)) throw error
    return { error, differences, proven }
  }
}

/**
 * What `tryCompared` starts by, so that nobody compares the data again once what may write to it is being started: that is
 * in the note before.
 */
export function comparedOnce(
  { layout }: Pick<Tools, "layout">,
  note: StoppedAppNote | undefined,
  up: StartOptions["up"],
): Pick<StartOptions, "up" | "same"> {
  let isSame = false
  return {
    up: (services) => (isSame ? afterComparing(layout, note, up(services)) : up(services)),
    same: () => {
      isSame = true
    },
  }
}

/** The fingerprints of data services as they run now. */
export async function fingerprints(services: readonly StackService[]): Promise<readonly Fingerprint[]> {
  return Promise.all(services.flatMap((one) => one.driver.fingerprint?.(one.service, containerOf(one)) ?? []))
}

/** Throws `data-differs` with each fact that does. */
export function assertSame(differences: readonly FingerprintDifference[]): void {
  if (differences.length === 0) return
  const facts = differences.map((one) => `${one.service} ${one.fact}: ${one.after} instead of ${one.before}`)
  throw failure("data-differs", `the data is not what it was: ${facts.join("; ")}`)
}

async function startData(tools: Tools, { services, step, up, fill }: StartOptions): Promise<void> {
  const data = services.filter(holdsData)
  if (data.length > 0) {
    await tools.work.step(step.start, up(names(data)))
    await tools.work.check(step.wait, () => waitHealthy(tools, definitions(data)), undefined)
  }
  await fill?.()
}

async function compareData(
  tools: Tools,
  { services, before, step }: StartOptions,
): Promise<readonly FingerprintDifference[]> {
  if (before.length === 0) return []
  const data = services.filter((one) => before.some(({ service }) => service === one.service.name))
  const after = await tools.work.check(step.compare, async () => fingerprints(await refresh(tools, data)), before)
  return compareFingerprints(before, after)
}

async function startRest(tools: Tools, { services, step, up }: StartOptions): Promise<void> {
  const rest = services.filter((one) => !holdsData(one))
  if (rest.length === 0) return
  const alone = rest.length === services.length
  await tools.work.step(alone ? step.start : `${step.start}-rest`, up(names(rest)))
  await tools.work.check(
    alone ? step.wait : `${step.wait}-rest`,
    () => waitHealthy(tools, definitions(services)),
    undefined,
  )
}
