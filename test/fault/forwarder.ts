import { connect, createServer, type Socket } from "node:net"

/** A way to a TCP server on this machine that can be cut. */
export interface Forwarder extends AsyncDisposable {
  readonly port: number
  /** Resets every connection, and refuses new ones until it is mended. */
  cut(): Promise<void>
  mend(): Promise<void>
}

export async function forwarder(target: number): Promise<Forwarder> {
  const open = new Set<Socket>()
  const keep = (socket: Socket) => {
    open.add(socket)
    socket.on("error", () => undefined) // A reset is what this is for; the other side is closed with it.
    socket.once("close", () => open.delete(socket))
  }
  const make = () =>
    createServer((near) => {
      const far = connect(target, "127.0.0.1")
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        keep(one)
        one.setNoDelay(true).pipe(other)
        one.once("close", () => other.destroy())
      }
    })
  let server = make()
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve))
  await listen(0)
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("a TCP server has a port")
  const { port } = address
  const cut = async () => {
    const closed = new Promise<unknown>((resolve) => (server.listening ? server.close(resolve) : resolve(undefined)))
    for (const socket of open) socket.resetAndDestroy()
    await closed
  }
  return {
    port,
    cut,
    async mend() {
      if (server.listening) return
      server = make()
      await listen(port)
    },
    [Symbol.asyncDispose]: cut,
  }
}
