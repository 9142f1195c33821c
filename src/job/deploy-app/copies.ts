import { failure } from "../../core/errors.ts"
import type { Container, ServiceDefinition } from "../../docker/stack.ts"
import { change } from "../../shell/command.ts"
import type { Tools } from "../tools.ts"
import { waitHealthy } from "../wait-healthy.ts"
import { type PinnedImages, pinnedOf, references } from "./pinned-images.ts"
import { type Before, unfinishedNote } from "./unfinished-note.ts"

/** Containers of these services, whatever their state. */
export async function copiesOf(tools: Tools, services: readonly ServiceDefinition[]): Promise<readonly Container[]> {
  const names = new Set(services.map((one) => one.name))
  return (await tools.stack.containers()).filter((one) => names.has(one.service))
}

/**
 * Starts a whole new set of copies beside the old ones and gives them. The old containers' ids are written down on the
 * host first, so that a run after an interruption can tell the two sets apart.
 */
export async function startBeside(
  tools: Tools,
  services: readonly ServiceDefinition[],
  options: Before & { readonly images: PinnedImages },
): Promise<readonly Container[]> {
  if (services.length === 0) return []
  const { images, old } = options
  const names = services.map((one) => one.name)
  const scale = Object.fromEntries(
    services.map(({ name, replicas }) => [name, replicas + old.filter((one) => one.service === name).length]),
  )
  const up = tools.stack.up(names, {
    noDependencies: true,
    noRecreate: true,
    pull: "never",
    scale,
    images: references(images, names),
  })
  await tools.work.step("start-new", change`${unfinishedNote(tools.layout, options)} || exit\n${up}`, {
    timeout: 300_000,
  })
  const assumed = services.map((service) => assumedCopy(tools, service, pinnedOf(images, service.name).id))
  return tools.work.check("find-new", () => newCopies(tools, services, old), assumed)
}

/** Containers of these services that are not among `old`. */
export async function newCopies(
  tools: Tools,
  services: readonly ServiceDefinition[],
  old: readonly Container[],
): Promise<readonly Container[]> {
  return (await copiesOf(tools, services)).filter((one) => !old.some(({ id }) => id === one.id))
}

/**
 * Waits until these copies are healthy, at least `app.health-timeout` and as long as their health checks may take;
 * fails at once when one exits, turns unhealthy or restarts again and again. Then proves that each runs the image asked for.
 */
export async function waitForCopies(
  tools: Tools,
  services: readonly ServiceDefinition[],
  options: { readonly images: PinnedImages; readonly copies: readonly Container[]; readonly step: string },
): Promise<void> {
  if (services.length === 0) return
  const { images, copies, step } = options
  const budget = Math.max(tools.config.app["health-timeout"], ...services.map((one) => one.healthBudget ?? 0))
  const ids = copies.map((one) => one.id)
  await tools.work.check(
    step,
    async () => {
      assertComplete(services, copies)
      await waitHealthy(tools, services, { containers: ids, budget })
      const now = (await copiesOf(tools, services)).filter((one) => ids.includes(one.id))
      for (const copy of now) assertImage(copy, pinnedOf(images, copy.service).id)
    },
    undefined,
  )
}

/** Stops copies within their grace periods and removes them, by id. */
export async function removeCopies(
  tools: Tools,
  copies: readonly Container[],
  steps: { readonly stop: string; readonly remove: string },
): Promise<void> {
  if (copies.length === 0) return
  await tools.work.step(steps.stop, tools.stack.stop(copies), { timeout: 900_000 })
  await tools.work.step(steps.remove, tools.stack.remove(copies))
}

function assertComplete(services: readonly ServiceDefinition[], copies: readonly Container[]): void {
  for (const { name, replicas } of services) {
    const there = copies.filter((one) => one.service === name).length
    if (there !== replicas) {
      throw failure("copies-missing", `${there} new copies of ${name} were made, ${replicas} were asked for`)
    }
  }
}

function assertImage(copy: Container, wanted: string): void {
  if (copy.imageId === wanted) return
  throw failure("wrong-image", `${copy.name} runs ${copy.imageId}, not ${wanted} as asked`, {
    hint: "Something else started it meanwhile: look at who uses docker compose on the host.",
  })
}

/** What a dry run takes for a container that it does not start. */
function assumedCopy({ stack }: Tools, { name }: ServiceDefinition, imageId: string): Container {
  return {
    id: `new-${name}`,
    name: `${stack.project}-${name}-new`,
    service: name,
    state: "running",
    health: "healthy",
    healthOutput: "",
    error: "",
    restarts: 0,
    exitCode: 0,
    oomKilled: false,
    startedAt: "",
    finishedAt: "",
    image: imageId,
    imageId,
    configHash: "",
    number: 0,
    restartPolicy: "",
    stopSignal: "",
    mounts: [],
    networks: [],
    pid: 0,
  }
}
