import type { Check } from "../core/health.ts"
import { remoteScript } from "../remote/scripts.ts"
import { script } from "../shell/command.ts"
import type { StackService } from "./stack-services.ts"
import type { Tools } from "./tools.ts"

export interface HostChecks {
  /** One for each disk that the stack lives on. */
  readonly disks: readonly Check[]
  /** By service: whether it can write where its data lies. */
  readonly volumes: ReadonlyMap<string, readonly Check[]>
}

/** With less free than this share, a disk is as good as full: Postgres stops, dumps cannot be written. */
const full = 0.02

/** Looks at the disks behind the base directory, the backups and Docker, and at the data services' mounts, in one round trip. */
export async function checkHost(
  tools: Pick<Tools, "host" | "layout" | "config">,
  data: readonly StackService[],
): Promise<HostChecks> {
  const { base, backups } = tools.layout
  const mounts = data.flatMap(({ service, container }) =>
    container?.state === "running"
      ? container.mounts
          .filter((mount) => mount.type !== "tmpfs" && mount.writable)
          .map((mount) => [service.name, container.id, mount.target])
      : [],
  )
  const look = script("read", remoteScript("host-facts"), [2, base, backups, ...mounts.flat()])
  const { stdout } = await tools.host.run(look, { timeout: 120_000 })
  return parseHostFacts(stdout, tools.config.thresholds["disk-free"])
}

/** Reads what `host-facts.sh` printed; `limit` is the share of free space below which a disk is warned of. */
export function parseHostFacts(output: string, limit: number): HostChecks {
  const disks = new Map<string, Check>()
  const volumes = new Map<string, Check[]>()
  for (const line of output.split("\n")) {
    const [kind, first = "", second = "", third = "", why = ""] = line.split("\t")
    if (kind === "disk") disks.set(first, diskCheck(first, second, third, limit))
    if (kind === "write") volumes.set(first, [...(volumes.get(first) ?? []), volumeCheck(second, third, why)])
  }
  return { disks: [...disks.values()], volumes }
}

function diskCheck(path: string, size: string, free: string, limit: number): Check {
  const name = `disk ${path}`
  if (size === "unknown") return { name, state: "unknown", detail: free }
  const share = Number(free) / Number(size)
  const detail = `${gibibytes(free)} of ${gibibytes(size)} GiB free (${Math.round(share * 100)} %)`
  if (!Number.isFinite(share)) return { name, state: "unknown", detail: "the disk has no size" }
  return { name, state: share < Math.min(full, limit) ? "failed" : share < limit ? "warning" : "ok", detail }
}

function volumeCheck(target: string, state: string, why: string): Check {
  const name = `volume ${target}`
  if (state === "ok") return { name, state: "ok", detail: "mounted and writable" }
  if (state === "failed") return { name, state: "failed", detail: "mounted, and the service may not write there" }
  return { name, state: "unknown", detail: why || "could not be looked at" }
}

function gibibytes(kibibytes: string): string {
  return (Number(kibibytes) / 1_048_576).toFixed(1)
}
