import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

/**
 * What happens to a request on its way: `error-inside` and `empty` answer 200 with an error or nothing where the answer should
 * be, `refuse` closes the connection at once, `no-md5` keeps the MD5 from the store; a number is the status that answers in
 * S3's place, milliseconds wait for `delay`.
 */
export type Fault =
  | "pass"
  | "stall"
  | "cut"
  | "corrupt"
  | "corrupt-answer"
  | "cut-answer"
  | "lose-answer"
  | "expired"
  | "slow-down"
  | "refuse"
  | "error-inside"
  | "empty"
  | "no-md5"
  | number
  | { readonly delay: number }

export interface S3Proxy extends AsyncDisposable {
  readonly endpoint: string
  /** Decides for each request; `pass` unless set. */
  fault: (method: string, url: string) => Fault
  /** Method and path with query of every request, in order. */
  readonly seen: string[]
}

/** Stands in front of the real store and does what networks and stores do on bad days. */
export async function s3Proxy(target: string): Promise<S3Proxy> {
  const proxy: Pick<S3Proxy, "fault" | "seen"> = { fault: () => "pass", seen: [] }
  const server = createServer((incoming, answer) => {
    const url = incoming.url ?? ""
    proxy.seen.push(`${incoming.method} ${url}`)
    handle(proxy.fault(incoming.method ?? "", url), { incoming, answer, target })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return Object.assign(proxy, {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}

interface Exchange {
  readonly incoming: IncomingMessage
  readonly answer: ServerResponse
  readonly target: string
}

function handle(fault: Fault, exchange: Exchange): void {
  const { incoming, answer } = exchange
  if (fault === "stall") return
  if (fault === "cut") {
    incoming.once("data", () => incoming.socket.destroy())
  } else if (fault === "refuse") {
    incoming.socket.destroy()
  } else if (typeof fault === "number") {
    reply(exchange, fault, `Fault${fault}`)
  } else if (fault === "expired") {
    reply(exchange, 403, "ExpiredToken")
  } else if (fault === "slow-down") {
    reply(exchange, 503, "SlowDown")
  } else if (fault === "error-inside") {
    reply(exchange, 200, "InternalError")
  } else if (fault === "empty") {
    incoming.resume().on("end", () => answer.writeHead(200, { "content-length": "0" }).end())
  } else if (typeof fault === "object") {
    setTimeout(() => forward("pass", exchange), fault.delay)
  } else {
    forward(fault, exchange)
  }
}

function reply({ incoming, answer }: Exchange, status: number, code: string): void {
  const text = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>as asked</Message></Error>`
  incoming.resume().on("end", () => answer.writeHead(status, { "content-type": "application/xml" }).end(text))
}

function forward(fault: Fault, { incoming, answer, target }: Exchange): void {
  const { hostname, port } = new URL(target)
  // The host name is part of what is signed, so it goes on as it came.
  const { "content-md5": _, ...others } = incoming.headers
  const headers = fault === "no-md5" ? others : incoming.headers
  const onward = request({ hostname, port, method: incoming.method, path: incoming.url, headers }, (given) => {
    if (fault === "lose-answer") {
      given.resume().on("end", () => incoming.socket.destroy())
      return
    }
    answer.writeHead(given.statusCode ?? 500, given.headers)
    let first = true
    given.on("data", (chunk: Buffer) => {
      // Of an answer that is cut only the beginning comes through, however fast the store is.
      if (fault === "cut-answer" && !first) return
      answer.write(fault === "corrupt-answer" && first ? flipped(chunk) : chunk)
      if (fault === "cut-answer") setTimeout(() => incoming.socket.destroy(), 50)
      first = false
    })
    given.on("end", () => fault === "cut-answer" || answer.end())
  })
  let first = true
  incoming.on("data", (chunk: Buffer) => {
    onward.write(fault === "corrupt" && first ? flipped(chunk) : chunk)
    first = false
  })
  incoming.on("end", () => onward.end())
  incoming.on("close", () => onward.end())
  onward.on("error", () => incoming.socket.destroy())
}

function flipped(chunk: Buffer): Buffer {
  const copy = Buffer.from(chunk)
  if (copy.length > 0) copy.writeUInt8(copy.readUInt8(0) ^ 1, 0)
  return copy
}
