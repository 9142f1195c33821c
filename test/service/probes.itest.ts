import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { after, before, describe, it } from "node:test"
import { promisify } from "node:util"
import { composeStack } from "../../src/docker/compose-stack.ts"
import type { Container } from "../../src/docker/stack.ts"
import type { Host } from "../../src/host/host.ts"
import { localHost } from "../../src/host/local.ts"
import { coturnDriver } from "../../src/service/coturn.ts"
import type { Service } from "../../src/service/driver.ts"
import { httpDriver } from "../../src/service/http.ts"
import { openviduDriver } from "../../src/service/openvidu.ts"
import { container } from "../support/container.ts"
import { stackTools } from "../support/stack-tools.ts"

const docker = (...args: readonly string[]) => promisify(execFile)("docker", args)
const { config } = stackTools({ project: "t-stack-probes", baseDir: "/nowhere" })

function service(fields: {
  readonly host?: Host
  readonly url?: string
  readonly port?: number
  readonly name?: string
}): Service {
  const host = fields.host ?? localHost()
  const { url, port } = fields
  return {
    name: fields.name ?? "web",
    kind: "http",
    config: {
      "critical-tables": [],
      "sample-queries": [],
      timeout: 5000,
      ...(url === undefined ? {} : { url }),
      ...(port === undefined ? {} : { port }),
    },
    host,
    stack: composeStack({ host, config }),
    backups: "/nowhere",
  }
}

/** A host whose shell finds none of these programs. */
function without(...programs: readonly string[]): Host {
  const host = localHost()
  const hidden = programs.map((one) => `[ "$2" != ${one} ] || return 1`).join("; ")
  const text = (script: string) =>
    `command() { ${hidden}; builtin_command "$@"; }\nbuiltin_command() { type "$2" >/dev/null 2>&1; }\n${script}`
  return { ...host, run: (command, options) => host.run({ ...command, text: text(command.text) }, options) }
}

describe("http probe", () => {
  let server: Server
  let base: string
  before(async () => {
    server = createServer((request, response) => {
      if (request.url === "/silent") return
      response.writeHead(request.url === "/health" ? 200 : 503).end("x")
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  after(() => {
    server.closeAllConnections()
    server.close()
  })

  for (const [means, host] of [
    ["curl", localHost()],
    ["wget", without("curl")],
  ] as const) {
    it(`tells right, wrong, silent and absent apart with ${means}`, async () => {
      const state = async (url: string) => (await httpDriver().probe(service({ host, url }), container())).checks[1]
      assert.equal((await state(`${base}/health`))?.state, "ok")
      assert.match((await state(`${base}/other`))?.detail ?? "", /answered 503/)
      assert.match((await state(`${base}/silent`))?.detail ?? "", /cannot be reached/)
      assert.match((await state("http://127.0.0.1:1/"))?.detail ?? "", /cannot be reached/)
    })
  }

  it("is unknown, never well, on a host that has nothing to ask with", async () => {
    const health = await httpDriver().probe(
      service({ host: without("curl", "wget"), url: `${base}/health` }),
      container(),
    )
    assert.equal(health.state, "unknown")
  })

  it("does not ask a service whose container does not run", async () => {
    const health = await httpDriver().probe(service({ url: `${base}/health` }), container({ state: "exited" }))
    assert.equal(health.state, "unhealthy")
    assert.equal(health.checks.length, 1)
  })
})

describe("openvidu probe", () => {
  let server: Server
  let answers: Readonly<Record<string, readonly [number, string]>>
  before(async () => {
    server = createServer((request, response) => {
      const [status, body] = answers[request.url ?? ""] ?? [404, ""]
      const allowed = !request.url?.endsWith("/sessions") || request.headers.authorization === expected
      response.writeHead(allowed ? status : 401).end(allowed ? body : "")
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    await docker("rm", "-f", "t-stack-vidu")
    await docker(
      "run",
      "-d",
      "--name",
      "t-stack-vidu",
      "--label",
      "infra-actions.testbed=1",
      "-e",
      `OPENVIDU_SECRET=${secret}`,
      "infra-testbed/base:bookworm",
      "sleep",
      "600",
    )
  })
  after(async () => {
    server.close()
    await docker("rm", "-f", "t-stack-vidu")
  })
  const secret = 'qu"ote\\d $x'
  const expected = `Basic ${Buffer.from(`OPENVIDUAPP:${secret}`).toString("base64")}`
  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const ask = () => openviduDriver().probe(service({ url: url(), name: "openvidu" }), container({ id: "t-stack-vidu" }))

  it("reads health and sessions", async () => {
    answers = {
      "/openvidu/api/health": [200, '{"status":\n"UP"}'],
      "/openvidu/api/sessions": [200, '{"numberOfElements":3,"content":[]}'],
    }
    const health = await ask()
    assert.equal(health.state, "healthy")
    assert.equal(health.details.sessions, 3)
  })

  it("counts the sessions that somebody is in, and does not guess", async () => {
    const occupancy = (body: string, state = "running" as const) => {
      answers = { "/openvidu/api/health": [200, '{"status":"UP"}'], "/openvidu/api/sessions": [200, body] }
      return asked(state)
    }
    const asked = (state: Container["state"]) =>
      openviduDriver().occupancy?.(service({ url: url(), name: "openvidu" }), container({ id: "t-stack-vidu", state }))
    const session = (people: number) => ({ id: `s${people}`, connections: { numberOfElements: people, content: [] } })
    const list = (...people: readonly number[]) =>
      JSON.stringify({ numberOfElements: people.length, content: people.map(session) })
    assert.deepEqual(await occupancy(list()), { state: "free", detail: "0 live sessions" })
    assert.deepEqual(await occupancy(list(0)), { state: "free", detail: "0 live sessions" })
    assert.deepEqual(await occupancy(list(0, 2, 1)), { state: "occupied", detail: "2 live sessions" })
    assert.equal((await occupancy('{"numberOfElements":2}'))?.state, "occupied")
    assert.equal((await occupancy("<html>It works</html>"))?.state, "unknown")
    assert.equal((await asked("exited"))?.state, "free")
  })

  it("takes a page that is not the server's answer for a wrong one", async () => {
    answers = { "/openvidu/api/health": [200, "<html>It works</html>"] }
    const health = await ask()
    assert.equal(health.state, "unhealthy")
    assert.equal(health.details.sessions, "unknown")
  })
})

describe("coturn probe", () => {
  let turn: Container
  let mute: Container
  before(async () => {
    turn = await start("t-stack-turn", "infra-testbed/coturn:1", [
      "turnserver",
      "-n",
      "--no-auth",
      "--no-tls",
      "--no-cli",
      "--log-file=stdout",
    ])
    mute = await start("t-stack-mute", "infra-testbed/base:bookworm", ["sleep", "600"])
    for (let tries = 0; (await coturnDriver().probe(service({ name: "coturn" }), turn)).state !== "healthy"; tries++) {
      assert.ok(tries < 60, "coturn does not answer")
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
  })
  after(() => docker("rm", "-f", "t-stack-turn", "t-stack-mute"))

  it("gets an answer to a binding request from the server's own client", async () => {
    const health = await coturnDriver().probe(service({ name: "coturn" }), turn)
    assert.equal(health.state, "healthy", JSON.stringify(health))
  })

  it("is unhealthy when nobody answers on that port", async () => {
    const health = await coturnDriver().probe(service({ name: "coturn", port: 3999 }), turn)
    assert.equal(health.state, "unhealthy")
  })

  it("asks with the host's nc where the image has no client, and is unknown without either", async () => {
    // The container without a client, at the address of the server that answers.
    const hybrid = container({ id: mute.id, networks: turn.networks })
    const asked = await coturnDriver().probe(service({ name: "coturn" }), hybrid)
    assert.match(asked.checks[1]?.detail ?? "", /\(nc\)/, JSON.stringify(asked))
    const silent = await coturnDriver().probe(service({ name: "coturn" }), mute)
    assert.equal(silent.state, "unhealthy")
    const neither = await coturnDriver().probe(service({ name: "coturn", host: without("nc") }), mute)
    assert.equal(neither.state, "unknown")
  })

  async function start(name: string, image: string, command: readonly string[]): Promise<Container> {
    await docker("rm", "-f", name)
    const { stdout } = await docker(
      "run",
      "-d",
      "--name",
      name,
      "--label",
      "infra-actions.testbed=1",
      "--entrypoint",
      command[0] ?? "",
      image,
      ...command.slice(1),
    )
    const address = await docker("inspect", "-f", "{{.NetworkSettings.IPAddress}}", name)
    return container({ id: stdout.trim(), networks: [{ name: "bridge", address: address.stdout.trim() }] })
  }
})
