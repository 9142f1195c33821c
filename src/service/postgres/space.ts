import { type Disk, lackOfRoom, withRoomGiven } from "../../core/disk-room.ts"
import { type AppError, failure, refusal } from "../../core/errors.ts"
import type { Container } from "../../docker/stack.ts"
import type { Host } from "../../host/host.ts"
import { sh } from "../../shell/command.ts"
import type { Service } from "../driver.ts"
import { ask, execInside } from "./inside.ts"
import { markedLines, newNonce, valuesOf } from "./marked-lines.ts"

/** Free bytes on the file system where `directory` is, or would be made. */
export async function freeBytes(host: Host, directory: string): Promise<number> {
  const { stdout } = await host.run(
    sh`directory=${directory}; until [ -d "$directory" ]; do directory=$(dirname "$directory"); done; df -P -B1 "$directory"`,
  )
  return bytes(stdout.trimEnd().split("\n").at(-1)?.split(/\s+/)[3], directory)
}

/** Bytes that a restore takes. */
export interface Room {
  /** Where the server's data lies. */
  readonly data: number
  /** Where temporary files go. */
  readonly temporary: number
}

/**
 * Refuses, with nothing begun, when a restore beside the live data would fill a disk: the live server stops for good
 * when it has no room for its WAL, of which the restore makes as much as the server keeps.
 */
export async function assertRoomInside(service: Service, container: Container, needed: Room): Promise<void> {
  const lack = (await roomInside(service, container, needed))("restoring beside")
  if (lack !== undefined) throw noRoom(lack, "the live data is only replaced by data that was restored beside it.")
}

/** One sentence about the disk that is too small for what `what` names, also once `given` bytes of data are gone; undefined when there is room. */
export type Lack = (what: string, given?: number) => string | undefined

/** Looks at the container's disks: what a restore that takes `needed` would lack there. */
export async function roomInside(service: Service, container: Container, needed: Room): Promise<Lack> {
  const [[wal] = []] = await ask(service, container, "select pg_size_bytes(current_setting('max_wal_size'));")
  const disks = await disksInside(service, container)
  const needs = [
    {
      where: `the data directory of ${service.name}`,
      disk: disks.data,
      takes: needed.data + bytes(wal, "max_wal_size"),
    },
    { where: `/tmp in the container of ${service.name}`, disk: disks.temporary, takes: needed.temporary },
  ]
  return (what, given = 0) => lackOfRoom(withRoomGiven(needs, disks.data, given), what)[0]
}

/** `hint` goes on after `Make room: `. */
export function noRoom(lack: string, hint: string): AppError {
  return refusal("disk-space", lack, { hint: `Make room: ${hint}` })
}

/** The disks of the container: where the data lies and where temporary files go. */
async function disksInside(
  service: Service,
  container: Container,
): Promise<{ readonly data: Disk; readonly temporary: Disk }> {
  const nonce = newNonce()
  const { stdout } = await service.host.run(execInside("read", container, { name: "space", args: [nonce] }))
  const lines = markedLines(stdout, nonce)
  const disk = (key: string, where: string) => {
    const [size, free] = (valuesOf(lines, key)[0] ?? "").split(" ")
    return { size: bytes(size, where), free: bytes(free, where) }
  }
  return { data: disk("data", "the data directory"), temporary: disk("temporary", "the container's /tmp") }
}

function bytes(text: string | undefined, where: string): number {
  if (text !== undefined && /^\d+$/.test(text)) return Number(text)
  throw failure("disk-unknown", `nothing said how much room ${where} has`)
}
