import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { createSocket } from "node:dgram"
import { readFileSync } from "node:fs"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, test } from "node:test"
import { promisify } from "node:util"
import { checkLedger, parseLedger, written } from "./ledger.ts"
import { removeStack, resetStack, type StackPlace, storeUrls } from "./testbed.ts"
import { runWriter } from "./writer.ts"

const run = promisify(execFile)
const slot = 8
const template = join(import.meta.dirname, "../../action-templates")
let place: StackPlace
let folder: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "template-"))
  place = await resetStack({ slot })
})
after(async () => {
  await removeStack({ slot })
  await rm(folder, { recursive: true })
})

const container = (service: string) => `${place.project}-${service}-1`
const status = async (path: string) => (await fetch(`http://127.0.0.1:${place.httpPort}${path}`)).status

/** The template as a consumer has it: no override, the example's images, passwords filled in. */
async function asConsumer(profiles: readonly string[]): Promise<Record<string, Record<string, unknown>>> {
  const example = await readFile(join(template, ".env.production.example"), "utf8")
  await writeFile(join(folder, ".env.production"), example.replaceAll(/^(\w+)=$/gm, "$1=secret"))
  await writeFile(join(folder, "docker-compose.prod.yml"), await readFile(join(template, "docker-compose.prod.yml")))
  const args = ["compose", "--env-file", ".env.production", "-f", "docker-compose.prod.yml"]
  for (const profile of profiles) args.push("--profile", profile)
  const { stdout } = await run("docker", [...args, "config", "--format", "json"], { cwd: folder })
  return JSON.parse(stdout).services
}

test("the template parses for a consumer, whole and with one profile", async () => {
  const whole = await asConsumer(["infrastructure", "app"])
  assert.deepEqual(Object.keys(whole).sort(), ["api", "coturn", "dragonfly", "nginx", "postgres", "worker"])
  assert.deepEqual(Object.keys(await asConsumer(["app"])).sort(), ["api", "worker"])
})

test("every service can be replaced safely: health check, restart policy, grace period, no fixed name; the app has no fixed port", async () => {
  for (const [name, service] of Object.entries(await asConsumer(["*"]))) {
    assert.ok(service.healthcheck, `${name}: health check`)
    assert.equal(service.restart, "unless-stopped", name)
    assert.ok(service.stop_grace_period, `${name}: stop_grace_period`)
    assert.equal(service.container_name, undefined, name)
    if (name === "api" || name === "worker") assert.equal(service.ports, undefined, name)
  }
})

test("the proxy starts and stays healthy while the app is stopped, and serves again when it is back", async () => {
  await run("docker", ["stop", container("api")])
  await run("docker", ["restart", container("nginx")])
  await answers("/proxy-health", 200)
  await answers("/version", 502)
  await run("docker", ["start", container("api")])
  await answers("/version", 200)
})

/** Within a minute; a container that has just started may not take connections yet. */
async function answers(path: string, expected: number): Promise<void> {
  const end = Date.now() + 60_000
  let last: unknown
  while (Date.now() < end) {
    last = await status(path).catch((error: unknown) => error)
    if (last === expected) return
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  assert.equal(last, expected)
}

test("the TURN server answers a STUN binding request on its published port", async () => {
  const socket = createSocket("udp4")
  const answer = new Promise<Buffer>((resolve, reject) => {
    socket.once("message", resolve)
    setTimeout(() => reject(new Error("no answer within 15 s")), 15_000).unref()
  })
  const id = Buffer.from("0123456789ab")
  socket.send(Buffer.concat([Buffer.from([0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42]), id]), place.turnPort, "127.0.0.1")
  const message = await answer
  socket.close()
  assert.equal(message.readUInt16BE(0), 0x0101, "binding success")
  assert.deepEqual(message.subarray(8, 20), id)
})

test("the writer goes on through a restart of both stores and its check sees a lost and a damaged row", async () => {
  const file = join(folder, "ledger")
  const urls = storeUrls(place)
  const stop = new AbortController()
  const writing = runWriter({ urls, file, rate: 50, signal: stop.signal })
  await written(file, 10)
  await run("docker", ["restart", container("postgres"), container("dragonfly")])
  await written(file, parseLedger(readFileSync(file, "utf8")).length + 10)
  stop.abort()
  const report = await writing
  assert.ok(report.retries > 0, "the restart was felt")
  const good = await checkLedger(file, urls)
  assert.deepEqual([good.postgres.recorded, good.postgres.lost, good.postgres.damaged], [report.postgres, 0, 0])
  assert.deepEqual([good.redis.recorded, good.redis.lost, good.redis.damaged], [report.redis, 0, 0])
  const sql = "delete from ledger where id = 3; update ledger set checksum = 'x' where id = 4"
  await run("docker", ["exec", container("postgres"), "psql", "-X", "-U", "app", "-d", "healthcare", "-c", sql])
  const bad = await checkLedger(file, urls)
  assert.deepEqual([bad.postgres.lost, bad.postgres.firstLost, bad.postgres.damaged], [1, [3], 1])
})
