import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { promisify } from "node:util"
import { configSchema } from "../../src/core/config.ts"
import { AppError } from "../../src/core/errors.ts"
import type { Host } from "../../src/host/host.ts"
import { localHost } from "../../src/host/local.ts"
import { planWork } from "../../src/host/plan-work.ts"
import type { Work } from "../../src/host/work.ts"
import { deployApp } from "../../src/job/deploy-app.ts"
import { silentLogger } from "../../src/job/logger.ts"
import { stackTools } from "../support/stack-tools.ts"
import { testbed } from "../testbed/testbed.ts"

const project = "t-stack-small"
const good = `${testbed().registry}/t-stack-small:good`
const other = `${testbed().registry}/t-stack-small:other`
const docker = (...args: readonly string[]) => promisify(execFile)("docker", args)

/** `other` is of another Debian: healthy for the worker, not for a web that asks for Debian 12 exactly. */
const compose = `
services:
  web:
    profiles: [app]
    image: \${IMAGE:?}
    init: true
    command: [sleep, "600"]
    environment: { SEEN: "\${SEEN:-none}" }
    ports: ["127.0.0.1::80", "127.0.0.1:18999:81"]
    labels: { infra-actions.testbed: "1" }
    healthcheck: { test: "grep -q \${DEBIAN:-.} /etc/debian_version", interval: 1s, retries: 2 }
  worker:
    profiles: [app]
    image: \${IMAGE:?}
    init: true
    command: [sleep, "600"]
    labels: { infra-actions.testbed: "1" }
networks:
  default: { labels: { infra-actions.testbed: "1" } }
`

describe("compose stack", () => {
  let directory: string
  before(async () => {
    await removeContainers() // of a run that was killed
    directory = await mkdtemp(join(tmpdir(), "t-stack-"))
    await writeFile(join(directory, "docker-compose.prod.yml"), compose)
    await environment({ IMAGE: good })
    await docker("tag", "infra-testbed/base:bookworm", good)
    await docker("tag", "infra-testbed/base:trixie", other)
  })
  const removeContainers = async () => {
    const { stdout } = await docker("ps", "-aq", "--filter", `label=com.docker.compose.project=${project}`)
    const ids = stdout.trim().split("\n").filter(Boolean)
    if (ids.length > 0) await docker("rm", "-f", ...ids)
    await docker("network", "rm", "-f", `${project}_default`)
  }
  after(async () => {
    await removeContainers()
    const images = await docker(
      "image",
      "ls",
      "-q",
      "--no-trunc",
      "--filter",
      `reference=${testbed().registry}/t-stack-small`,
      "--format",
      "{{.Repository}}:{{.Tag}}",
    )
    await docker("rmi", ...images.stdout.trim().split("\n"))
    await rm(directory, { recursive: true })
  })

  it("takes variables from the env-file, whatever the shell has", async () => {
    const inner = localHost()
    const run: Host["run"] = (command, options) =>
      inner.run({ ...command, text: `export SEEN=shell IMAGE=evil:1\n${command.text}` }, options)
    await environment({ IMAGE: good, SEEN: "file" })
    const { stack } = open({ host: { ...inner, run } })
    const web = (await stack.definition()).services.find((one) => one.name === "web")
    assert.equal(web?.environment.SEEN, "file")
    assert.equal(web?.image, good)
  })

  it("shows a whole first deployment in a dry run and starts nothing", async () => {
    const shown: string[] = []
    const host = localHost()
    const { stack, tools } = open({ host, work: planWork({ id: "dry", log: (line) => shown.push(line) }) })
    await deployApp(tools, { releaseId: "dry" })
    const text = shown.join("\n")
    for (const step of ["start-new", "replace-web", "tag-release", "record-release"])
      assert.ok(text.includes(step), text)
    assert.deepEqual(await stack.containers(), [])
  })

  it("deploys without a proxy: start-first where it can, with a told interruption where a port is published", async () => {
    const { stack, tools, warnings } = open()
    const result = await deployApp(tools, { releaseId: "one" })
    assert.deepEqual(result.interrupted, ["web"])
    assert.ok(
      warnings.some((line) => line.includes("web is replaced with an interruption")),
      warnings.join("\n"),
    )
    // The registry does not have it: the host's own copy is used, and that is said.
    assert.ok(
      warnings.some((line) => line.includes("could not be asked of its registry")),
      warnings.join("\n"),
    )
    assert.deepEqual(
      (await stack.containers()).map((one) => [one.service, one.state]),
      [
        ["web", "running"],
        ["worker", "running"],
      ],
    )
  })

  it("replaces nothing when nothing changed, everything when the environment did", async () => {
    const { stack } = open()
    const earlier = (await stack.containers()).map((one) => one.id)
    assert.equal((await deployApp(open().tools, { releaseId: "two" })).status, "unchanged")
    assert.deepEqual(
      (await stack.containers()).map((one) => one.id),
      earlier,
    )
    await environment({ IMAGE: good, SEEN: "changed" })
    assert.equal((await deployApp(open().tools, { releaseId: "three" })).status, "success")
    const now = (await stack.containers()).map((one) => one.id)
    assert.ok(!now.some((id) => earlier.includes(id)))
  })

  it("puts every service back when one of them does not get healthy", async () => {
    await environment({ IMAGE: good, DEBIAN: "12" })
    const { stack, tools } = open()
    await deployApp(open().tools, { releaseId: "four" })
    const image = (await stack.containers())[0]?.imageId
    await assert.rejects(deployApp(tools, { images: { web: other, worker: other }, releaseId: "five" }), (error) => {
      assert.ok(error instanceof AppError)
      return error.code === "not-healthy"
    })
    const now = await stack.containers()
    assert.deepEqual(
      now.map((one) => [one.service, one.state, one.imageId]),
      [
        ["web", "running", image],
        ["worker", "running", image],
      ],
    )
  })

  it("refuses an empty list of services, which compose would take for all", () => {
    assert.throws(() => open().stack.up([]), { code: "nothing-named" })
  })

  async function environment(values: Readonly<Record<string, string>>): Promise<void> {
    const lines = Object.entries(values).map(([name, value]) => `${name}=${value}\n`)
    await writeFile(join(directory, ".env.production"), lines.join(""))
  }

  function open(options: { readonly host?: Host; readonly work?: Work } = {}) {
    const host = options.host ?? localHost()
    const warnings: string[] = []
    const log = { ...silentLogger, warning: (message: string) => warnings.push(message) }
    const { app, compose } = configSchema.parse({
      project,
      host: { address: "local" },
      app: { "health-timeout": "40s" },
    })
    const place = { project, baseDir: directory }
    const work = options.work ? { work: options.work } : {}
    const tools = stackTools(place, { host, log, config: { app, compose }, ...work })
    return { tools, stack: tools.stack, warnings }
  }
})
