import { once } from "node:events"
import { Agent, request } from "node:http"
import { setTimeout as pause } from "node:timers/promises"
import { parseArgs } from "node:util"
import { testbed } from "./testbed.ts"

export interface LoadOptions {
  /** On 127.0.0.1 only. */
  readonly url: string
  /** Requests a second, at most 500; sent at their time whether or not earlier ones have been answered. */
  readonly rate: number
  /** Share of requests that ask `/slow?ms=500` instead. */
  readonly slowShare?: number
  readonly signal: AbortSignal
}

/**
 * What a client saw. `failed` is every request without a good answer. Retried once before that: `idleResets`, of a reused idle
 * connection, and `unread`, of a new one that was closed before a byte of an answer came.
 */
export interface LoadReport {
  readonly sent: number
  readonly ok: number
  readonly failed: number
  readonly idleResets: number
  readonly unread: number
  /** Milliseconds within which 99 of 100 good answers came. */
  readonly p99: number
  /** Failures by what went wrong: `HTTP 502`, `ECONNREFUSED`, `timeout`. */
  readonly reasons: Readonly<Record<string, number>>
  /** The first twenty failures: when, in milliseconds from the start, on which connection, and the client's words for it. */
  readonly firstFailures: readonly string[]
  /** Good answers by the version that gave them. */
  readonly versions: Readonly<Record<string, number>>
}

const timeout = 10_000

/** Sends until the signal aborts, waits for the answers under way, reports. */
export async function runLoad({ url, rate, slowShare = 0, signal }: LoadOptions): Promise<LoadReport> {
  const target = new URL(url)
  if (target.hostname !== "127.0.0.1") throw new Error(`load goes to 127.0.0.1 only, not to ${target.hostname}`)
  const slow = new URL("/slow?ms=500", target)
  const agent = new Agent({ keepAlive: true, maxSockets: 200 })
  const seen = { sent: 0, ok: 0, failed: 0, idleResets: 0, unread: 0, times: [] as number[] }
  const reasons: Record<string, number> = {}
  const firstFailures: string[] = []
  const versions: Record<string, number> = {}
  const one = async (to: URL) => {
    seen.sent += 1
    const started = performance.now()
    const outcome = await ask(to, agent, (what) => {
      seen[what] += 1
    })
    if (outcome.kind === "failed") {
      seen.failed += 1
      reasons[outcome.reason] = (reasons[outcome.reason] ?? 0) + 1
      const [begun, ended] = [started - start, performance.now() - start].map(Math.round)
      if (firstFailures.length < 20)
        firstFailures.push(`${begun} to ${ended}, ${outcome.connection}: ${outcome.message}`)
      return
    }
    seen.ok += 1
    if (to === target) seen.times.push(performance.now() - started)
    versions[outcome.version] = (versions[outcome.version] ?? 0) + 1
  }
  const under: Promise<void>[] = []
  const gap = 1000 / Math.min(rate, 500)
  const start = performance.now()
  for (let n = 0; !signal.aborted; n += 1) {
    under.push(one(Math.floor((n + 1) * slowShare) > Math.floor(n * slowShare) ? slow : target))
    const wait = start + (n + 1) * gap - performance.now()
    if (wait > 0) await pause(wait, undefined, { signal }).catch(() => undefined)
  }
  await Promise.all(under)
  agent.destroy()
  const times = seen.times.sort((a, b) => a - b)
  const p99 = Math.round(times[Math.floor(times.length * 0.99)] ?? 0)
  return {
    sent: seen.sent,
    ok: seen.ok,
    failed: seen.failed,
    idleResets: seen.idleResets,
    unread: seen.unread,
    p99,
    reasons,
    firstFailures,
    versions,
  }
}

interface Failed {
  readonly kind: "failed"
  readonly reason: string
  readonly message: string
  readonly connection: "new" | "reused" | "new, after another was closed"
}
type Outcome = { readonly kind: "ok"; readonly version: string } | Failed

type Closed = "idleResets" | "unread"

/**
 * One request. A proxy may close an idle connection in the instant that the client reuses it: no server can avoid that, browsers
 * retry, so do we. nginx does the same, when it reloads, to connections that it has accepted and not read from: with twenty
 * processes waiting for two processors, up to a quarter of them.
 */
async function ask(url: URL, agent: Agent, onClosed: (what: Closed) => void): Promise<Outcome> {
  const first = await attempt(url, agent)
  if (first.kind === "ok" || !first.closed) return first
  onClosed(first.closed)
  // On a connection of its own: the next idle one may just have been closed by the same reload.
  const second = await attempt(url, false)
  return second.kind === "ok" ? second : { ...second, connection: "new, after another was closed" }
}

type Attempt = Outcome & { readonly closed?: Closed | undefined }

function attempt(url: URL, agent: Agent | false): Promise<Attempt> {
  return new Promise((resolve) => {
    const sent = request(url, { agent, timeout })
    const failed = (reason: string, message: string): Attempt => {
      return { kind: "failed", reason, message, connection: sent.reusedSocket ? "reused" : "new" }
    }
    sent.on("timeout", () => sent.destroy(new Error("timeout")))
    sent.on("error", ({ code, message }: NodeJS.ErrnoException) => {
      const isClosed = code === "ECONNRESET" || code === "EPIPE"
      const closed = isClosed ? (sent.reusedSocket ? "idleResets" : "unread") : undefined
      resolve({ ...failed(code ?? message, message), closed })
    })
    sent.on("response", (response) => {
      let body = ""
      response.setEncoding("utf8")
      response.on("data", (part: string) => {
        body += part
      })
      // After the headers a cut is a failed request, whatever the connection was before.
      response.on("error", ({ code, message }: NodeJS.ErrnoException) =>
        resolve(failed(code ?? message, `${message} after the headers`)),
      )
      response.on("end", () => {
        if (response.statusCode !== 200) return resolve(failed(`HTTP ${response.statusCode}`, body.slice(0, 100)))
        resolve({ kind: "ok", version: /"version":"([^"]*)"/.exec(body)?.[1] ?? "none" })
      })
    })
    sent.end()
  })
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      for: { type: "string", default: "10" },
      rate: { type: "string", default: "100" },
      slot: { type: "string", default: "0" },
      path: { type: "string", default: "/version" },
      slow: { type: "string", default: "0" },
    },
  })
  const stop = new AbortController()
  for (const name of ["SIGTERM", "SIGINT"]) once(process, name).then(() => stop.abort(), stop.abort)
  const report = await runLoad({
    url: `http://127.0.0.1:${testbed(Number(values.slot)).stack.httpPort}${values.path}`,
    rate: Number(values.rate),
    slowShare: Number(values.slow),
    signal: AbortSignal.any([stop.signal, AbortSignal.timeout(Math.min(Number(values.for), 600) * 1000)]),
  })
  console.log(JSON.stringify(report))
}

if (import.meta.main) await main()
