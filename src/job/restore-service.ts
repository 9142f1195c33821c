import { failure } from "../core/errors.ts"
import type { ServiceBackup } from "../core/manifest.ts"
import type { RestoreReport } from "../service/driver.ts"
import { assertSoleServer, refresh } from "./ensure-running.ts"
import { makeServing } from "./make-serving.ts"
import { containerOf, dataServices, type StackService } from "./stack-services.ts"
import type { Tools } from "./tools.ts"

/** Restores one service from files that are on the host; `id` is the backup's. */
export async function restoreService(tools: Tools, held: ServiceBackup, id: string): Promise<RestoreReport> {
  const [one] = await dataServices(tools, [held.service])
  if (!one?.driver.restore) throw failure("cannot-restore", `service ${held.service} cannot be restored`)
  assertSameKind(one, held)
  await assertSoleServer(tools, one)
  await makeServing(tools, one, id)
  const [serving] = await refresh(tools, [one])
  return one.driver.restore(one.service, containerOf(serving ?? one), held, tools.work)
}

/** The order of a restore. */
export function databasesFirst(services: readonly ServiceBackup[]): readonly ServiceBackup[] {
  return services.toSorted((a, b) => Number(b.contents.kind === "postgres") - Number(a.contents.kind === "postgres"))
}

function assertSameKind({ service }: StackService, held: ServiceBackup): void {
  const isPostgres = held.contents.kind === "postgres"
  if ((service.kind === "postgres") === isPostgres) return
  throw failure(
    "wrong-kind",
    `the backup of ${service.name} is of kind ${held.contents.kind}, the service is ${service.kind}`,
  )
}
