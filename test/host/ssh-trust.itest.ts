import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { connect, createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import ssh2 from "ssh2"
import { AppError } from "../../src/core/errors.ts"
import { HostError } from "../../src/host/host.ts"
import { connectSsh } from "../../src/host/ssh.ts"
import { sh } from "../../src/shell/command.ts"
import { Secret } from "../../src/shell/secret.ts"
import { fault, startSilent } from "../conformance/host-process.ts"
import { testbed } from "../testbed/testbed.ts"
import { testbedLogin } from "./testbed-login.ts"

const folder = mkdtempSync(join(tmpdir(), "infra-actions-trust-"))
after(() => rmSync(folder, { recursive: true }))
const known = () =>
  testbedLogin()
    .knownHosts.split("\n")
    .filter((line) => line.includes(`:${testbed().ssh.port} `))
const ofType = (type: string) => known().find((line) => line.includes(type)) ?? ""
const fingerprint = (line: string) =>
  /SHA256:\S+/.exec(execFileSync("ssh-keygen", ["-lf", "-"], { input: line, encoding: "utf8" }))?.[0] ?? ""

async function assertConnects(change: Parameters<typeof testbedLogin>[0]): Promise<void> {
  await using host = await connectSsh(testbedLogin(change))
  assert.equal((await host.run(sh`echo in`)).stdout, "in\n")
}

function inputError(code: string, message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof AppError, String(error))
    assert.deepEqual([error.kind, error.code], ["input", code])
    assert.match(error.message, message)
    return true
  }
}

for (const type of ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"]) {
  test(`one known key of type ${type} is enough, as a line or as a fingerprint`, async () => {
    await assertConnects({ knownHosts: ofType(type) })
    await assertConnects({ knownHosts: fingerprint(ofType(type)) })
  })
}

test("hashed names as ssh-keygen -H writes them", async () => {
  const file = join(folder, "known_hosts")
  writeFileSync(file, `${known().join("\n")}\n`)
  execFileSync("ssh-keygen", ["-H", "-f", file], { stdio: "ignore" })
  const knownHosts = readFileSync(file, "utf8")
  assert.match(knownHosts, /^\|1\|/)
  await assertConnects({ knownHosts })
})

test("another key than the known one stops with both fingerprints", async () => {
  const knownHosts = readFileSync(testbed().ssh.wrongKnownHostsPath, "utf8")
  const expected = fingerprint(knownHosts.split("\n")[0] ?? "")
  await assert.rejects(connectSsh(testbedLogin({ knownHosts })), (error) => {
    assert.ok(error instanceof HostError)
    assert.equal(error.fault, "host-key")
    assert.ok(error.message.includes(`expected ${expected}`), error.message)
    assert.ok(error.message.includes(`presented ${testbed().ssh.fingerprint}`), error.message)
    assert.match(error.hint ?? "", /ssh-known-hosts/)
    return true
  })
  await assert.rejects(connectSsh(testbedLogin({ knownHosts: `SHA256:${"A".repeat(43)}` })), (error) => {
    for (const line of known()) assert.ok((error as Error).message.includes(fingerprint(line)))
    return fault("host-key")(error)
  })
})

test("a revoked key is refused though another line accepts it", async () => {
  const ed25519 = ofType("ssh-ed25519")
  await assert.rejects(
    connectSsh(testbedLogin({ knownHosts: `@revoked ${ed25519}\n${ed25519}` })),
    inputError("known-hosts-unknown", /@revoked/),
  )
  await assertConnects({ knownHosts: `@revoked ${ed25519}\n${known().join("\n")}` })
})

test("an unknown host and missing keys are refused before anything is sent", async () => {
  let connections = 0
  const server = createServer(() => (connections += 1)).listen(0, "127.0.0.1")
  await new Promise((resolve) => server.once("listening", resolve))
  const { port } = server.address() as { port: number }
  await assert.rejects(connectSsh(testbedLogin({ port })), inputError("known-hosts-unknown", /has no line for/))
  await assert.rejects(
    connectSsh(testbedLogin({ port, knownHosts: "" })),
    inputError("known-hosts-missing", /is empty/),
  )
  const trusting = { port, knownHosts: `SHA256:${"A".repeat(43)}` }
  await assert.rejects(
    connectSsh(testbedLogin({ ...trusting, key: new Secret("ssh-key", " ") })),
    inputError("ssh-key-missing", /`ssh-key` is empty/),
  )
  server.close()
  assert.equal(connections, 0)
})

test("a promise is no answer: what ssh2 takes for a yes, our verifier cannot say", async () => {
  const { address, port, user, key } = testbedLogin()
  const trusting = new ssh2.Client()
  const outcome = new Promise((resolve) =>
    trusting.once("ready", () => resolve("in")).once("error", () => resolve("refused")),
  )
  const hostVerifier = (async () => false) as unknown as () => boolean
  trusting.connect({ host: address, port: port ?? 22, username: user, privateKey: key?.reveal() ?? "", hostVerifier })
  assert.equal(await outcome, "in", "ssh2 no longer takes a promise for a yes: the rule may be relaxed")
  trusting.end()
  await assert.rejects(connectSsh(testbedLogin({ knownHosts: `SHA256:${"A".repeat(43)}` })), fault("host-key"))
})

test("a key that no account accepts names the input, its fingerprint and the user", async () => {
  const key = new Secret("ssh-key", readFileSync(testbed().ssh.refusedKeyPath, "utf8"))
  await assert.rejects(connectSsh(testbedLogin({ key })), (error) => {
    assert.match(
      (error as Error).message,
      /^deploy@127\.0\.0\.1:2222 does not accept `ssh-key` \(SHA256:\S+\) for user deploy$/,
    )
    return fault("authentication")(error)
  })
})

test("line ends, a missing last line feed and a passphrase do not matter when they are right", async () => {
  const plain = testbedLogin().key?.reveal() ?? ""
  await assertConnects({ key: new Secret("ssh-key", plain.trim().replaceAll("\n", "\r\n")) })
  const file = join(folder, "encrypted")
  writeFileSync(file, plain, { mode: 0o600 })
  execFileSync("ssh-keygen", ["-p", "-N", "opens sesame", "-f", file], { stdio: "ignore" })
  const key = new Secret("ssh-key", readFileSync(file, "utf8"))
  await assertConnects({ key, passphrase: new Secret("ssh-key-passphrase", "opens sesame") })
  await assert.rejects(connectSsh(testbedLogin({ key })), inputError("ssh-key-encrypted", /none is given/))
  const wrong = new Secret("ssh-key-passphrase", "opens nothing")
  await assert.rejects(
    connectSsh(testbedLogin({ key, passphrase: wrong })),
    inputError("ssh-key-passphrase", /does not open/),
  )
})

test("an agent's key logs in", async () => {
  const socket = join(folder, "agent")
  const started = execFileSync("ssh-agent", ["-a", socket], { encoding: "utf8" })
  const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(started)?.[1])
  try {
    const { key: _, ...login } = testbedLogin({ agent: socket })
    await assert.rejects(connectSsh(login), fault("authentication"))
    execFileSync("ssh-add", [testbed().ssh.keyPath], {
      env: { ...process.env, SSH_AUTH_SOCK: socket },
      stdio: "ignore",
    })
    await using host = await connectSsh(login)
    assert.equal((await host.run(sh`echo in`)).stdout, "in\n")
  } finally {
    process.kill(pid)
  }
})

test("a host that is not there, does not answer or resets is unreachable", async () => {
  const knownHosts = `SHA256:${"A".repeat(43)}`
  await assert.rejects(connectSsh(testbedLogin({ knownHosts, port: 1 })), (error) => {
    assert.match((error as Error).message, /nothing listens on port 1$/)
    return fault("unreachable")(error)
  })
  const mute = createServer().listen(0, "127.0.0.1")
  await new Promise((resolve) => mute.once("listening", resolve))
  const { port } = mute.address() as { port: number }
  await assert.rejects(connectSsh(testbedLogin({ knownHosts, port, timeouts: { ready: 300 } })), fault("unreachable"))
  mute.close()
})

test("a connection that is reset before the handshake is tried again", async () => {
  let connections = 0
  const shedding = createServer((socket) => {
    connections += 1
    if (connections <= 2) return socket.resetAndDestroy()
    const onward = connect(testbed().ssh.port, "127.0.0.1")
    for (const end of [socket, onward]) end.on("error", () => undefined) // the client cuts it when it is done
    socket.pipe(onward).pipe(socket)
    onward.once("close", () => socket.destroy())
    return undefined
  }).listen(0, "127.0.0.1")
  await new Promise((resolve) => shedding.once("listening", resolve))
  const { port } = shedding.address() as { port: number }
  await assertConnects({ port, knownHosts: testbed().ssh.fingerprint })
  assert.equal(connections, 3)
  shedding.close()
})

test("a connection that falls silent is lost after three missed signs of life", async () => {
  let silent = false
  const proxy = createServer((socket) => {
    const onward = connect(testbed().ssh.port, "127.0.0.1")
    for (const end of [socket, onward]) end.on("error", () => undefined) // the client cuts it when it is done
    socket.on("data", (chunk) => silent || onward.write(chunk))
    onward.on("data", (chunk) => silent || socket.write(chunk))
    socket.once("close", () => onward.destroy())
  }).listen(0, "127.0.0.1")
  await new Promise((resolve) => proxy.once("listening", resolve))
  const { port } = proxy.address() as { port: number }
  const host = await connectSsh(
    testbedLogin({ port, knownHosts: testbed().ssh.fingerprint, timeouts: { keepalive: 1000 } }),
  )
  const { done } = await startSilent(host)
  silent = true
  const began = performance.now()
  await assert.rejects(done, fault("lost"))
  assert.ok(performance.now() - began < 30_000)
  silent = false
  assert.equal((await host.run(sh`echo anew`)).stdout, "anew\n")
  await host[Symbol.asyncDispose]()
  proxy.close()
})
