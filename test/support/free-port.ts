import { randomInt } from "node:crypto"
import { createServer } from "node:net"

/**
 * A port of 127.0.0.1 that nobody listens on: by chance, and not of those from which the system serves everybody who asks for
 * any port, so that nobody else gets it before it is used.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000)
    const server = createServer()
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true))
    })
    if (!isFree) continue
    await new Promise((resolve) => server.close(resolve))
    return port
  }
}
