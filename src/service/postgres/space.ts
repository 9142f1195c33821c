import { failure, refusal } from "../../core/errors.ts"
import type { Container } from "../../docker/stack.ts"
import type { Host } from "../../host/host.ts"
import { sh } from "../../shell/command.ts"
import type { Service } from "../driver.ts"
import { execInside } from "./inside.ts"
import { markedLines, newNonce, valuesOf } from "./marked-lines.ts"

/** Free bytes on the file system where `directory` is, or would be made. */
export async function freeBytes(host: Host, directory: string): Promise<number> {
  const { stdout } = await host.run(
    sh`directory=${directory}; until [ -d "$directory" ]; do directory=$(dirname "$directory"); done; df -P -B1 "$directory"`,
  )
  return bytes(stdout.trimEnd().split("\n").at(-1)?.split(/\s+/)[3], directory)
}

interface Room {
  /** Where the server's data lies. */
  readonly data: number
  /** Where temporary files go. */
  readonly temporary: number
}

/** Refuses, with nothing begun, when a restore beside the live data would need more bytes than the container has. */
export async function assertRoomInside(service: Service, container: Container, needed: Room): Promise<void> {
  const free = await freeBytesInside(service, container)
  for (const [where, bytesNeeded, there] of [
    ["its data directory", needed.data, free.data],
    ["the container's /tmp", needed.temporary, free.temporary],
  ] as const) {
    if (there >= bytesNeeded) continue
    throw refusal(
      "disk-space",
      `${where} (${service.name}) has ${there} bytes free, restoring beside takes ${bytesNeeded}`,
      { hint: "Make room: the live data is only replaced by data that was restored and counted beside it." },
    )
  }
}

/** Free bytes inside the container: where the data lies and where temporary files go. */
async function freeBytesInside(service: Service, container: Container): Promise<Room> {
  const nonce = newNonce()
  const { stdout } = await service.host.run(execInside("read", container, { name: "space", args: [nonce] }))
  const lines = markedLines(stdout, nonce)
  return {
    data: bytes(valuesOf(lines, "data")[0], "the data directory"),
    temporary: bytes(valuesOf(lines, "temporary")[0], "the container's /tmp"),
  }
}

function bytes(text: string | undefined, where: string): number {
  if (text !== undefined && /^\d+$/.test(text)) return Number(text)
  throw failure("disk-unknown", `df did not say how much room ${where} has`)
}
