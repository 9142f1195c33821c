import { readFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"
import type { Config } from "../core/config.ts"
import { inputError, messageOf } from "../core/errors.ts"
import { apart, layout } from "../core/layout.ts"
import { composeStack } from "../docker/compose-stack.ts"
import type { Host } from "../host/host.ts"
import { localHost } from "../host/local.ts"
import { noticing } from "../host/noticing.ts"
import { plainWork } from "../host/plain-work.ts"
import { systemClock } from "../job/clock.ts"
import { settleDeployment } from "../job/deploy-app/settle-unfinished.ts"
import { finishInterrupted } from "../job/finish-interrupted.ts"
import { settleUpgrade } from "../job/settle-upgrade.ts"
import type { DefinitionFile, Tools } from "../job/tools.ts"
import { serviceDrivers } from "../service/service-drivers.ts"
import { loadConfig } from "./load-config.ts"
import { type Held, lookOnly, openChanges } from "./open-changes.ts"
import { type ConnectionInputs, openHost } from "./open-host.ts"
import { openStores, requireStoreKeys } from "./open-stores.ts"
import type { ActionContext } from "./outcome.ts"
import type { ToolInputs } from "./tool-inputs.ts"

export interface ToolsOptions {
  /** The action's name: part of the work's id, and the purpose shown to who waits for the lock. */
  readonly name: string
  /** Opens the backup stores: their secrets are then needed. */
  readonly usesStores?: boolean
  /** Reads the files of `compose.upload` from the checkout: the whole of it is then needed. */
  readonly installs?: boolean
  /** Takes the lock, unless it is a dry run, and may change the host. */
  readonly mutates: boolean
  /** The lock is one of its own: what the action does leaves the stack and its backups alone. */
  readonly apart?: boolean
  /** Opens `tools.runner`. */
  readonly onRunner?: boolean
}

/**
 * Opens everything a job may touch, runs it, and closes everything whatever happens: the composition root, the only
 * place that knows which host, stack, drivers and stores there are. A cancelled action gives its lock back at once;
 * work that still runs on the host keeps it to its end.
 */
export async function withTools<T>(
  inputs: ToolInputs,
  context: ActionContext,
  options: ToolsOptions,
  job: (tools: Tools) => Promise<T>,
): Promise<T> {
  const config = await loadConfig(inputs, context)
  // What is missing here is told before the host is asked for anything.
  if (options.usesStores) requireStoreKeys(config, inputs)
  const definition = options.installs ? await readDefinition(config, inputs, context) : []
  await using connection = await openHost(config, inputs, context)
  const paths = layout(config)
  const { name } = options
  const places = options.apart ? apart(paths, name) : paths
  const held: Held = options.mutates
    ? await openChanges(connection, { config, inputs, context, name, places })
    : lookOnly(connection, name)
  const { host } = held
  await using runner = options.onRunner ? localHost({ log: context.log.info }) : undefined
  try {
    const opened: Tools = {
      config,
      layout: paths,
      host,
      stack: composeStack({ host, config }),
      drivers: serviceDrivers(),
      stores: options.usesStores ? openStores(host, { config, inputs, context, progress: held.lease?.progress }) : [],
      work: held.work,
      lease: held.lease,
      definition,
      log: context.log,
      clock: systemClock,
      run: context.run,
      signal: context.signal,
    }
    const tools = runner ? { ...opened, runner: onRunner(opened, runner, { inputs, context }) } : opened
    let undone: string | undefined
    if (options.mutates && !options.apart) {
      await settleUpgrade(tools)
      undone = await finishInterrupted(tools, { cures: name === "restore" })
      await settleDeployment(tools)
    }
    const result = await job(undone === undefined ? tools : { ...tools, undone })
    await held.end("done")
    return result
  } catch (error) {
    await held.end("failed")
    throw error
  }
}

/** Its folder has one name for each environment, so that the next run finds what a killed one left. */
function onRunner(
  tools: Tools,
  host: Host,
  { inputs, context }: { readonly inputs: ToolInputs; readonly context: ActionContext },
): Tools {
  const { config, log, signal, lease } = tools
  // What comes along here keeps the lock, as what comes from the host does.
  const watched = lease ? noticing(host, lease.progress) : host
  const folder = join(context.env.RUNNER_TEMP ?? tmpdir(), `infra-actions-${config.project}-${config.environment}`)
  const { id, dryRun } = tools.work
  const work = dryRun ? tools.work : plainWork(watched, { id, log: log.step, signal })
  const store = { config, inputs, context, directory: folder, progress: lease?.progress }
  const stores = tools.stores.length > 0 ? openStores(watched, store) : []
  const layout = { ...tools.layout, base: folder, backups: folder }
  return {
    ...tools,
    host: watched,
    work,
    stores,
    layout,
    stack: composeStack({ host: watched, config }),
    lease: undefined,
  }
}

async function readDefinition(
  config: Config,
  inputs: ConnectionInputs,
  { directory }: ActionContext,
): Promise<readonly DefinitionFile[]> {
  const folder = dirname(resolve(directory, inputs.config))
  return Promise.all(
    config.compose.upload.map(async (path) => {
      try {
        return { path, content: await readFile(join(folder, path)) }
      } catch (error) {
        throw inputError("upload-missing", `compose.upload: ${path} cannot be read: ${messageOf(error)}`, {
          hint: "Paths are relative to infra.yml in the checkout.",
          cause: error,
        })
      }
    }),
  )
}
