import assert from "node:assert/strict"
import { createServer, type Server } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import { test } from "node:test"
import { runLoad } from "./load.ts"

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/version`
}

test("every answer that is not 200 is a failed request", async () => {
  let n = 0
  const server = createServer((_, response) => {
    n += 1
    response.writeHead(n % 2 === 0 ? 502 : 200).end('{"version":"7"}')
  })
  const report = await runLoad({ url: await listening(server), rate: 100, signal: AbortSignal.timeout(300) })
  server.close()
  assert.equal(report.sent, n)
  assert.equal(report.failed, Math.floor(n / 2))
  assert.equal(report.reasons["HTTP 502"], report.failed)
  assert.equal(report.versions["7"], report.ok)
})

test("nobody listening: all failed, none taken for an idle reset", async () => {
  const server = createServer()
  const url = await listening(server)
  await new Promise((resolve) => server.close(resolve))
  const report = await runLoad({ url, rate: 50, signal: AbortSignal.timeout(200) })
  assert.ok(report.sent > 0)
  assert.equal(report.failed, report.sent)
  assert.equal(report.reasons.ECONNREFUSED, report.sent)
  assert.equal(report.idleResets, 0)
})

test("a reset of a reused connection is counted apart and retried once", async () => {
  const used = new Set<Socket>()
  const seen = new AbortController()
  const server = createServer((request, response) => {
    if (used.has(request.socket)) {
      request.socket.resetAndDestroy()
      seen.abort()
    } else response.end('{"version":"1"}')
    used.add(request.socket)
  })
  const report = await runLoad({ url: await listening(server), rate: 20, signal: seen.signal })
  server.closeAllConnections()
  server.close()
  assert.ok(report.idleResets > 0)
  assert.equal(report.failed, 0)
  assert.equal(report.ok, report.sent)
})

test("a new connection that is closed unread is retried once, and a second time it is a failed request", async () => {
  const server = createServer((request) => request.socket.resetAndDestroy())
  const report = await runLoad({ url: await listening(server), rate: 20, signal: AbortSignal.timeout(200) })
  server.close()
  assert.equal(report.failed, report.sent)
  assert.match(
    report.firstFailures[0] ?? "",
    /^\d+ to \d+, new, after another was closed: (read ECONNRESET|socket hang up)$/,
  )
  assert.deepEqual([report.idleResets, report.unread], [0, report.sent])
})

test("load for another host is refused", async () => {
  await assert.rejects(
    runLoad({ url: "http://192.0.2.1/", rate: 1, signal: AbortSignal.timeout(10) }),
    /127\.0\.0\.1 only/,
  )
})
