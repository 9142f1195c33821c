import type { Container, ServiceDefinition } from "../../docker/stack.ts"
import type { Tools } from "../tools.ts"
import { copiesOf, removeCopies } from "./copies.ts"
import { drain, findProxy, switchProxy } from "./proxy.ts"
import { forgetUnfinished, readUnfinished, type UnfinishedNote } from "./unfinished-note.ts"

/**
 * Ends what an interrupted deployment left: two sets of copies. When requests already go to the new ones and they are
 * healthy (without a proxy: when the old ones began to be stopped), the old ones are drained and removed; otherwise the
 * new ones are. Either way one set is left, and the deployment at hand goes on from there.
 */
export async function settleUnfinished(tools: Tools, services: readonly ServiceDefinition[]): Promise<void> {
  const note = await readUnfinished(tools)
  if (!note) return
  const copies = await copiesOf(tools, services)
  const old = copies.filter((one) => note.old.includes(one.id))
  const fresh = copies.filter((one) => !note.old.includes(one.id))
  tools.log.info(
    `Release ${note.release} was interrupted: ${old.length} old and ${fresh.length} new containers are there`,
  )
  if (old.length > 0 && fresh.length > 0) {
    const names = services.map((one) => one.name)
    await ((await tookOver(tools, names, { note, old, fresh }))
      ? goForward(tools, names, { release: note.release, old, fresh })
      : goBack(tools, names, { release: note.release, old, fresh }))
  }
  await tools.work.step("settle-release", forgetUnfinished(tools.layout))
}

interface Sets {
  readonly old: readonly Container[]
  readonly fresh: readonly Container[]
}

async function tookOver(
  tools: Tools,
  names: readonly string[],
  { note, old, fresh }: Sets & { readonly note: UnfinishedNote },
): Promise<boolean> {
  if (!old.some(isServing)) return true
  if (!fresh.every(isServing)) return false
  const proxy = await findProxy(tools, names)
  if (proxy) return fresh.some((one) => proxy.now.targets.includes(one.name))
  return note.old.some((id) => !old.some((one) => one.id === id && isServing(one)))
}

async function goForward(tools: Tools, names: readonly string[], sets: Sets & { readonly release: string }) {
  const { release, old, fresh } = sets
  const proxy = await findProxy(tools, names)
  const proxied = fresh.filter((one) => one.service === proxy?.service)
  if (proxy && proxied.length > 0) {
    // Once more: the file may have been renamed and nginx not told.
    await switchProxy(tools, proxy, proxied, { step: "settle-proxy", release })
    await drain(tools, proxy, old, "drain-leftovers")
  }
  await removeCopies(tools, old, { stop: "stop-leftovers", remove: "remove-leftovers" })
}

async function goBack(tools: Tools, names: readonly string[], sets: Sets & { readonly release: string }) {
  const { release, old, fresh } = sets
  const proxy = await findProxy(tools, names)
  const proxied = old.filter((one) => one.service === proxy?.service && isServing(one))
  if (proxy && proxied.length > 0) {
    await switchProxy(tools, proxy, proxied, { step: "settle-proxy", release })
    await drain(tools, proxy, fresh, "drain-leftovers")
  }
  await removeCopies(tools, fresh, { stop: "stop-leftovers", remove: "remove-leftovers" })
}

export function isServing({ state, health = "healthy" }: Container): boolean {
  return state === "running" && health === "healthy"
}
