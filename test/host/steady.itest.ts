import assert from "node:assert/strict"
import { existsSync, readFileSync, rmSync } from "node:fs"
import { test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { type Host, HostError } from "../../src/host/host.ts"
import { connectSsh } from "../../src/host/ssh.ts"
import { steady } from "../../src/host/steady.ts"
import { change, sh } from "../../src/shell/command.ts"
import { type Forwarder, forwarder } from "../fault/forwarder.ts"
import { testbed } from "../testbed/testbed.ts"
import { testbedLogin } from "./testbed-login.ts"

const file = `/tmp/infra-actions-steady-${process.pid}`

async function open(): Promise<{ readonly way: Forwarder; readonly host: Host }> {
  const { ssh } = testbed()
  const way = await forwarder(ssh.port)
  const knownHosts = readFileSync(ssh.knownHostsPath, "utf8").replaceAll(`]:${ssh.port} `, `]:${way.port} `)
  return { way, host: await connectSsh({ ...testbedLogin(), port: way.port, knownHosts }) }
}

test("a look that is cut off is repeated until the host answers again", async () => {
  const { way, host } = await open()
  const said: string[] = []
  const began = `${file}-began`
  const looking = steady(host, { log: (line) => said.push(line) }).run(
    sh`[ -e ${began} ] || { : >${began}; sleep 60; }; echo seen`,
  )
  while (!existsSync(began)) await sleep(20)
  await way.cut()
  while (said.length < 2) await sleep(100)
  await way.mend()
  assert.equal((await looking).stdout, "seen\n")
  rmSync(began)
  await host[Symbol.asyncDispose]()
  await way[Symbol.asyncDispose]()
})

test("a change that was cut off is never repeated, one that could not begin is", async () => {
  const { way, host } = await open()
  try {
    const changing = steady(host).run(change`echo once >>${file}; sleep 60`)
    changing.catch(() => undefined) // awaited below
    while (!existsSync(file) || readFileSync(file, "utf8") === "") await sleep(20)
    await way.cut()
    await assert.rejects(changing, (error) => error instanceof HostError && error.fault === "lost")
    const next = steady(host).run(change`echo twice >>${file}`)
    await sleep(700)
    await way.mend()
    await next
    assert.equal(readFileSync(file, "utf8"), "once\ntwice\n")
  } finally {
    await host[Symbol.asyncDispose]()
    await way[Symbol.asyncDispose]()
    rmSync(file, { force: true })
  }
})

test("nothing is tried again once the run is cancelled", async () => {
  const { way, host } = await open()
  const stop = new AbortController()
  await way.cut()
  const began = performance.now()
  const looking = steady(host, { signal: stop.signal }).run(sh`echo seen`)
  setTimeout(() => stop.abort(), 300)
  await assert.rejects(looking)
  assert.ok(performance.now() - began < 20_000)
  await host[Symbol.asyncDispose]()
  await way[Symbol.asyncDispose]()
})
