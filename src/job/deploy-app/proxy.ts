import { posix } from "node:path"
import { refusal } from "../../core/errors.ts"
import type { Container } from "../../docker/stack.ts"
import { remoteScript } from "../../remote/scripts.ts"
import { script, sh } from "../../shell/command.ts"
import type { Tools } from "../tools.ts"
import { parseUpstream, renderUpstream, type Upstream } from "./upstream.ts"

/** nginx in front of one service of the app. */
export interface FrontProxy {
  readonly container: Container
  /** The service that it sends requests to. */
  readonly service: string
  /** The upstream file on the host. */
  readonly file: string
  readonly now: Upstream
}

/** Seconds until nginx's old workers must have stopped accepting after a reload. */
const handover = 30

/**
 * The proxy as it runs; undefined where none is configured. Refuses when it cannot do a switch: not running, or the
 * upstream file's folder not mounted (a file mounted by itself keeps its old content).
 */
export async function findProxy(tools: Tools, services: readonly string[]): Promise<FrontProxy | undefined> {
  const { proxy, "proxied-service": named } = tools.config.app
  if (!proxy) return undefined
  const service = named ?? services[0] ?? ""
  if (!services.includes(service)) {
    throw refusal("proxied-service-unknown", `app.proxied-service ${service} is none of the app's services`, {
      hint: `Name one of: ${services.join(", ")}.`,
    })
  }
  const file = posix.join(tools.layout.base, proxy["upstream-file"])
  const [containers, { stdout }] = await Promise.all([
    tools.stack.containers(proxy.service),
    tools.host.run(sh`if [ -e ${file} ]; then cat ${file}; fi`),
  ])
  const container = containers.find((one) => one.state === "running")
  if (!container) {
    throw refusal("proxy-down", `the proxy (app.proxy.service ${proxy.service}) is not running`, {
      hint: "Start it, or run debug: without it nobody can be sent to the new copies. Nothing was changed.",
    })
  }
  assertFolderMounted(container, file)
  return { container, service, file, now: parseUpstream(stdout) }
}

/** Sends all new requests to these containers, or fails with everything as it was. */
export async function switchProxy(
  tools: Tools,
  proxy: FrontProxy,
  copies: readonly Container[],
  options: { readonly step: string; readonly release: string },
): Promise<void> {
  const { upstream = "app" } = tools.config.app.proxy ?? {}
  const content = renderUpstream(
    copies.map((one) => one.name),
    { upstream, port: tools.config.app.port, copySettings: proxy.now.copySettings, release: options.release },
  )
  const arguments_ = [proxy.container.id, proxy.file, content, handover]
  await tools.work.step(options.step, script("change", remoteScript("proxy-switch"), arguments_), { timeout: 120_000 })
}

/** Waits until nobody is connected to these copies any more, at most `app.drain`. Says what was cut. */
export async function drain(
  tools: Tools,
  proxy: FrontProxy,
  copies: readonly Container[],
  step: string,
): Promise<void> {
  const running = copies.filter((one) => one.service === proxy.service && one.state === "running")
  if (running.length === 0) return
  const { drain: limit, port } = tools.config.app
  const seconds = Math.ceil(limit / 1000)
  const ids = running.map((one) => one.id)
  const look = script("read", remoteScript("drain-copies"), [port, seconds, proxy.container.imageId, ...ids])
  const { stdout } = await tools.work.step(step, look, { timeout: limit + 90_000, assume: "drained" })
  const [word, count] = (stdout.trim().split("\n").at(-1) ?? "").split(" ")
  if (word === "drained") return
  tools.log.warning(
    word === "cut"
      ? `${count} connections to the old copies were still open after ${seconds} s and are cut`
      : `The connections to the old copies could not be counted; they had ${seconds} s to end`,
  )
}

/** Whether requests go to exactly these containers, each by its own name. */
export function sendsTo({ now }: FrontProxy, copies: readonly Container[]): boolean {
  const names = copies.map((one) => one.name)
  return names.length === now.targets.length && names.every((name) => now.targets.includes(name))
}

function assertFolderMounted(container: Container, file: string): void {
  const mounts = container.mounts.map((mount) => mount.source.replace(/\/+$/, ""))
  if (mounts.includes(file)) {
    throw refusal("proxy-file-mounted", `the upstream file ${file} is mounted into the proxy by itself`, {
      hint: "Mount its folder: a file mounted by itself keeps its old content when a new one is renamed into its place.",
    })
  }
  if (!mounts.some((source) => file.startsWith(`${source}/`))) {
    throw refusal("proxy-folder-not-mounted", `no mount of the proxy holds the upstream file ${file}`, {
      hint: "Correct app.proxy.upstream-file, or mount its folder into the proxy.",
    })
  }
}
