import { formatBytes } from "../../core/bytes.ts"
import { lackOfRoom } from "../../core/disk-room.ts"
import { failure, refusal } from "../../core/errors.ts"
import { remoteScript } from "../../remote/scripts.ts"
import { script, sh } from "../../shell/command.ts"
import type { Tools } from "../tools.ts"

export interface RoomNeeded {
  /** Bytes on Docker's disk, for the restored data. */
  readonly data: number
  /** Bytes on the backups' disk, for files that are fetched. */
  readonly files: number
}

/** Refuses when a drill would fill a disk that the live services need. */
export async function assertDiskRoom(tools: Tools, needed: RoomNeeded): Promise<void> {
  const { backups } = tools.layout
  const { stdout } = await tools.host.run(script("read", remoteScript("host-facts"), [1, backups]), { timeout: 60_000 })
  const [refused] = lackForDrill(stdout, { needed, backups })
  if (refused === undefined) return
  throw refusal("disk-space", refused, {
    hint: "Make room, or drill on a host that has it: the live services must not run out of disk.",
  })
}

/** One sentence for each disk that `host-facts.sh` tells of and that is too small; one that could not be looked at is, too. */
export function lackForDrill(
  facts: string,
  { needed, backups }: { readonly needed: RoomNeeded; readonly backups: string },
): readonly string[] {
  const lines = facts.split("\n").map((line) => line.split("\t"))
  const root = lines.find(([kind]) => kind === "docker-root")?.[1]
  const diskOf = (path: string | undefined) => {
    const [, , size, free] = lines.find(([kind, name]) => kind === "disk" && name === path) ?? []
    return { size: Number(size) * 1024, free: Number(free) * 1024 }
  }
  return lackOfRoom(
    [
      { where: root ?? "Docker's directory", disk: diskOf(root), takes: needed.data },
      { where: backups, disk: diskOf(backups), takes: needed.files },
    ],
    "the drill",
  )
}

/** Below this no server of any kind starts. */
const least = 512 * 2 ** 20

/** The limit in bytes for one throw-away server on this host as it is now. */
export async function memoryLimit(tools: Tools, wanted: number): Promise<number> {
  const { stdout } = await tools.host.run(sh`cat /proc/meminfo`)
  return limitWithin(stdout, wanted)
}

/** What a server wants, at most half of what `meminfo` says is left. Refuses when that is too little for any. */
export function limitWithin(meminfo: string, wanted: number): number {
  const available = Number(/^MemAvailable: *(\d+) kB$/m.exec(meminfo)?.[1]) * 1024
  if (!Number.isFinite(available)) throw failure("memory-unknown", "the host does not tell how much memory it has left")
  const limit = Math.floor(Math.min(wanted, available / 2))
  if (limit >= least) return limit
  throw refusal("memory", `the host has ${formatBytes(available)} of memory left, a drill takes half of that at most`, {
    hint: `At least ${formatBytes(least * 2)} must be available: the live services must not run out of memory.`,
  })
}
