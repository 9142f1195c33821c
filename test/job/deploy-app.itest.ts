import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { after, before, describe, it } from "node:test"
import { configSchema } from "../../src/core/config.ts"
import { AppError } from "../../src/core/errors.ts"
import { currentRelease } from "../../src/core/release.ts"
import { HostError } from "../../src/host/host.ts"
import { planWork } from "../../src/host/plan-work.ts"
import { readOnlyHost } from "../../src/host/recording.ts"
import { deployApp } from "../../src/job/deploy-app.ts"
import type { Logger } from "../../src/job/logger.ts"
import { silentLogger } from "../../src/job/logger.ts"
import { readHistory } from "../../src/job/release-history.ts"
import { sh } from "../../src/shell/command.ts"
import { directWork } from "../support/direct-work.ts"
import { deployHost, stackTools } from "../support/stack-tools.ts"
import { type LoadReport, runLoad } from "../testbed/load.ts"
import { removeStack, resetStack, type StackPlace, testbed } from "../testbed/testbed.ts"

const slot = 23
const app = (tag: string) => `${testbed(slot).registry}/sample-app:${tag}`
const images = (tag: string) => ({ api: app(tag), worker: app(tag) })

describe("deploy-app behind nginx", () => {
  let place: StackPlace
  before(async () => {
    place = await resetStack({ slot })
  })
  after(() => removeStack({ slot }))

  it("replaces api and worker without a failed request", async () => {
    const { host, stack, tools } = open(place)
    const [report, result] = await underLoad(place, () =>
      deployApp(tools, { images: images("v2"), releaseId: "two", commit: "b".repeat(40) }),
    )

    assert.equal(report.failed, 0, JSON.stringify(report))
    // A starved nginx closes connections unread when it reloads, which is retried; one that has the host for itself does not.
    if (!process.env.BESIDE_OTHERS) assert.equal(report.unread, 0, JSON.stringify(report))
    assert.ok((report.versions["2"] ?? 0) > 0, JSON.stringify(report.versions))
    assert.equal(result.status, "success")
    const copies = (await stack.containers()).filter((one) => ["api", "worker"].includes(one.service))
    assert.deepEqual(copies.map((one) => one.service).toSorted(), ["api", "worker"])
    for (const copy of copies) assert.equal(copy.imageId, result.images[0]?.imageId)
    assert.match(result.images[0]?.digest ?? "", /sample-app@sha256:/)
    assert.equal(await version(place), "2")

    const tag = sh`docker image inspect --format '{{.Id}}' ${app("release-two")}`
    assert.equal((await host.run(tag)).stdout.trim(), result.images[0]?.imageId)
    const current = currentRelease(await readHistory(tools))
    assert.equal(current?.id, "two")
    assert.equal(current?.commit, "b".repeat(40))
  })

  it("restarts nothing when these images run already, and still records the commit", async () => {
    const { stack, tools } = open(place)
    const earlier = ids(await stack.containers())
    const result = await deployApp(tools, { images: images("v2"), releaseId: "two-again", commit: "c".repeat(40) })

    assert.equal(result.status, "unchanged")
    assert.equal(result.previousReleaseId, "two")
    assert.deepEqual(ids(await stack.containers()), earlier)
    assert.equal(currentRelease(await readHistory(tools))?.commit, "c".repeat(40))
  })

  it("keeps the deployed image when compose is run again, though the compose files name another", async () => {
    const { host, stack } = open(place)
    const earlier = ids(await stack.containers())
    await host.run(stack.up(["api", "worker"], { noDependencies: true }), { timeout: 120_000 })
    assert.deepEqual(ids(await stack.containers()), earlier)
  })

  for (const [variant, code] of [
    ["never-healthy", "not-healthy"],
    ["crash", "not-healthy"],
  ] as const) {
    it(`leaves the old copies alone when the new ones are ${variant}`, async () => {
      const { stack, tools, steps } = open(place)
      const earlier = ids(await stack.containers())
      const [report, error] = await underLoad(place, () =>
        failing(deployApp(tools, { images: images(variant), releaseId: `bad-${variant}` })),
      )

      assert.equal(error.code, code, error.message)
      assert.deepEqual(ids(await stack.containers()), earlier)
      assert.equal(report.failed, 0, JSON.stringify(report))
      assert.ok(!steps.includes("stop-old"))
      const { releases } = await readHistory(tools)
      assert.equal(releases.at(-1)?.status, "bad")
      assert.equal(currentRelease({ releases, unreadable: [], torn: false })?.id, "two-again")
    })
  }

  it("switches back when the new copies are healthy and answer wrong", async () => {
    const { stack, tools } = open(place, { url: "/appointments" })
    const earlier = ids(await stack.containers())
    const error = await failing(deployApp(tools, { images: images("wrong"), releaseId: "bad-answer" }))

    assert.equal(error.code, "health-url-wrong")
    assert.match(error.message, /answered 500/)
    assert.deepEqual(ids(await stack.containers()), earlier)
    assert.equal(await version(place), "2")
  })

  it("refuses an image that is not to be had before anything is touched", async () => {
    const { stack, tools, steps } = open(place)
    const earlier = ids(await stack.containers())
    const error = await failing(deployApp(tools, { images: { api: `${app("v2")}-there-is-none` } }))

    assert.equal(error.code, "image-unavailable")
    assert.equal(error.kind, "refused")
    assert.deepEqual(steps, ["pull-images"])
    assert.deepEqual(ids(await stack.containers()), earlier)
  })

  it("names a service that the app does not have", async () => {
    const error = await failing(deployApp(open(place).tools, { images: { web: app("v2") } }))
    assert.equal(error.code, "unknown-service")
    assert.match(error.message, /no service web/)
  })

  it("puts the old file back when nginx refuses the new one", async () => {
    const { host, stack, tools } = open(place, { upstream: "no such { name" })
    const file = `${place.baseDir}/nginx/upstream/app.conf`
    const earlier = { containers: ids(await stack.containers()), upstream: await readFile(file, "utf8") }
    const error = await failing(deployApp(tools, { images: images("v3"), releaseId: "bad-proxy" }))

    assert.equal(error.code, "command-failed")
    assert.equal(await readFile(file, "utf8"), earlier.upstream)
    assert.deepEqual(ids(await stack.containers()), earlier.containers)
    await host.run(sh`docker exec ${`${place.project}-nginx-1`} nginx -t`)
    assert.equal(await version(place), "2")
  })

  for (const [step, tag] of [
    ["switch-proxy", "v1"],
    ["drain-old", "v2"],
    ["remove-old", "v1"],
    ["tag-release", "v2"],
  ] as const) {
    it(`finishes what was interrupted right before ${step}`, async () => {
      const [report] = await underLoad(place, async () => {
        const cut = open(place, { cutBefore: step })
        await assert.rejects(deployApp(cut.tools, { images: images(tag), releaseId: `cut-${step}` }), HostError)
        await deployApp(open(place).tools, { images: images(tag), releaseId: `after-${step}` })
      })

      assert.equal(report.failed, 0, JSON.stringify(report))
      const { stack, tools } = open(place)
      const copies = (await stack.containers()).filter((one) => ["api", "worker"].includes(one.service))
      assert.deepEqual(copies.map((one) => one.service).toSorted(), ["api", "worker"])
      assert.equal(await version(place), tag.slice(1))
      assert.equal(currentRelease(await readHistory(tools))?.id, `after-${step}`)
    })
  }

  it("shows every step in a dry run and changes nothing", async () => {
    const { stack, tools } = open(place)
    const shown: string[] = []
    const host = readOnlyHost(deployHost())
    const dry = { ...tools, host, work: planWork({ id: "dry", log: (line) => shown.push(line) }) }
    const earlier = ids(await stack.containers())
    await deployApp(dry, { images: images("v3"), releaseId: "dry" })
    const text = shown.join("\n")
    for (const step of [
      "start-new",
      "wait-new",
      "switch-proxy",
      "drain-old",
      "stop-old",
      "remove-old",
      "tag-release",
    ]) {
      assert.ok(text.includes(step), `${step} is missing in: ${text}`)
    }
    assert.deepEqual(ids(await stack.containers()), earlier)
  })

  it("works where nothing of the app exists yet", async () => {
    const { host, stack, tools } = open(place)
    const copies = (await stack.containers()).filter((one) => ["api", "worker"].includes(one.service))
    await host.run(stack.stop(copies), { timeout: 120_000 })
    await host.run(stack.remove(copies))
    const result = await deployApp(tools, { images: images("v1"), releaseId: "first" })
    assert.equal(result.status, "success")
    assert.equal(await version(place), "1")
  })
})

function open(
  place: StackPlace,
  options: { readonly url?: string; readonly upstream?: string; readonly cutBefore?: string } = {},
) {
  const host = deployHost()
  const work = directWork(host, {
    beforeStep(name) {
      if (name === options.cutBefore) throw new HostError("lost", `cut before ${name}`)
    },
  })
  const { app } = configSchema.parse({
    project: "x",
    host: { address: "local" },
    app: {
      "health-url": `http://127.0.0.1:${place.httpPort}${options.url ?? "/health"}`,
      proxy: options.upstream === undefined ? {} : { upstream: options.upstream },
      drain: "10s",
    },
  })
  const log: Logger = { ...silentLogger, ...(process.env.LOG ? { warning: console.log, info: console.log } : {}) }
  const tools = stackTools(place, { host, work, log, config: { app } })
  return { host, work, tools, stack: tools.stack, steps: work.steps }
}

async function underLoad<T>(place: StackPlace, body: () => Promise<T>): Promise<readonly [LoadReport, T]> {
  const control = new AbortController()
  const url = `http://127.0.0.1:${place.httpPort}/version`
  const load = runLoad({ url, rate: 100, slowShare: 0.1, signal: control.signal })
  try {
    const result = await body()
    control.abort()
    return [await load, result]
  } finally {
    control.abort()
    await load
  }
}

async function failing(deployment: Promise<unknown>): Promise<AppError> {
  const error = await deployment.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof AppError, String(error))
  return error
}

async function version(place: StackPlace): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${place.httpPort}/version`)
  return ((await answer.json()) as { version: string }).version
}

function ids(containers: readonly { readonly id: string }[]): readonly string[] {
  return containers.map((one) => one.id).toSorted()
}
