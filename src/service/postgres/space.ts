import { failure } from "../../core/errors.ts"
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

/** Free bytes inside the container: where the data lies and where temporary files go. */
export async function freeBytesInside(
  service: Service,
  container: Container,
): Promise<{ readonly data: number; readonly temporary: number }> {
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
