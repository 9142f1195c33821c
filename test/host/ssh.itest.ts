import assert from "node:assert/strict"
import { fork } from "node:child_process"
import { once } from "node:events"
import { Readable } from "node:stream"
import { test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import type { Host } from "../../src/host/host.ts"
import { localHost } from "../../src/host/local.ts"
import { connectSsh } from "../../src/host/ssh.ts"
import { change, sh } from "../../src/shell/command.ts"
import { testHost } from "../conformance/host.ts"
import { assertEnds, fault, startSilent } from "../conformance/host-process.ts"
import { testbed } from "../testbed/testbed.ts"
import { privateSshd } from "./private-sshd.ts"
import { testbedLogin } from "./testbed-login.ts"

for (const user of ["root", "deploy", "t-dash", "t-fish", "t-csh", "t-noisy"]) {
  testHost(`ssh ${user}`, () => connectSsh(testbedLogin({ user })))
}

/** The pid of the sshd that serves this connection: the nearest one above a command's shell. */
async function sessionSshd(host: Host): Promise<number> {
  const climb = sh`p=$$
while [ "$p" -gt 1 ]; do
  read -r _ name _ above _ </proc/$p/stat
  case $name in *sshd*) echo "$p"; exit ;; esac
  p=$above
done
exit 1`
  return Number((await host.run(climb)).stdout)
}

for (const user of ["t-stdin", "t-forced", "t-nologin"]) {
  test(`the account ${user} logs in but runs nothing: never success, nor a change`, async () => {
    await using host = await connectSsh(testbedLogin({ user }))
    await assert.rejects(host.run(sh`echo hello`, { allow: "any" }), fault("did-not-run"))
    await assert.rejects(host.upload("x", "/tmp/never"), fault("did-not-run"))
  })
}

test("a session whose sshd is killed is lost, and the next command connects anew", async () => {
  await using host = await connectSsh(testbedLogin())
  const killed = await sessionSshd(host)
  const { pid, done } = await startSilent(host)
  process.kill(killed, "SIGKILL")
  await assert.rejects(done, fault("lost"))
  assert.equal((await host.run(sh`echo back`)).stdout, "back\n")
  assert.notEqual(await sessionSshd(host), killed)
  await assertEnds(host, pid, 30_000)
})

test("an upload that is cut never takes the file's name", async () => {
  await using host = await connectSsh(testbedLogin())
  const file = `/tmp/infra-actions-cut-${process.pid}`
  await host.upload("old", file)
  const killed = await sessionSshd(host)
  async function* slowly() {
    yield "new "
    await sleep(300)
    process.kill(killed, "SIGKILL")
    await sleep(200)
    yield "whole"
  }
  await assert.rejects(host.upload(Readable.from(slowly(), { objectMode: false }), file), fault("lost"))
  assert.equal((await host.run(sh`cat -- ${file}`)).stdout, "old")
  await host.run(change`rm -f -- ${file} /tmp/.infra-actions-cut-${process.pid}.*`)
})

test("a command ends on the host soon after its client was killed", async () => {
  const client = fork(new URL("./silent-client.ts", import.meta.url), { execArgv: [], stdio: "ignore" })
  const [pid] = (await once(client, "message")) as [number]
  client.kill("SIGKILL")
  await using host = localHost()
  await assertEnds(host, pid, 30_000)
})

test("fewer sessions than commands: the rest wait", async () => {
  await using sshd = await privateSshd("MaxSessions 2")
  await using host = await connectSsh(testbedLogin(sshd))
  const results = await Promise.all(Array.from({ length: 6 }, (_, n) => host.run(sh`sleep 0.2; echo ${n}`)))
  assert.deepEqual(
    results.map(({ stdout }) => stdout),
    ["0\n", "1\n", "2\n", "3\n", "4\n", "5\n"],
  )
})

test("a jump host leads to the host, and its key is checked as well", async () => {
  const { jumpPort } = testbed().ssh
  const { jump: _, ...jump } = testbedLogin({ port: jumpPort })
  {
    await using host = await connectSsh(testbedLogin({ jump }))
    assert.equal((await host.run(sh`echo "\${SSH_CONNECTION##* }"`)).stdout, "2222\n")
    process.kill(await sessionSshd(host), "SIGKILL")
    assert.equal((await retried(host)).stdout, "again\n")
  }
  const wrong = { ...jump, knownHosts: `SHA256:${"A".repeat(43)}` }
  await assert.rejects(connectSsh(testbedLogin({ jump: wrong })), fault("host-key"))
  await assert.rejects(connectSsh(testbedLogin({ jump, knownHosts: `SHA256:${"A".repeat(43)}` })), fault("host-key"))
  await assert.rejects(
    connectSsh(testbedLogin({ jump, address: "127.0.0.1", port: 1, knownHosts: `SHA256:${"A".repeat(43)}` })),
    fault("unreachable"),
  )
})

/** The first command after a cut may still be sent over the dying connection. */
async function retried(host: Host) {
  return host.run(sh`echo again`).catch(() => host.run(sh`echo again`))
}

test("an abort cuts the connection and what runs on it at once", async () => {
  const stop = new AbortController()
  const host = await connectSsh(testbedLogin({ signal: stop.signal }))
  const { done } = await startSilent(host)
  const began = performance.now()
  stop.abort()
  await assert.rejects(done, fault("aborted"))
  await assert.rejects(host.run(sh`true`), fault("aborted"))
  await host[Symbol.asyncDispose]()
  assert.ok(performance.now() - began < 10_000)
  await assert.rejects(connectSsh(testbedLogin({ signal: stop.signal })), fault("aborted"))
})
