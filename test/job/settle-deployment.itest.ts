import assert from "node:assert/strict"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { configSchema } from "../../src/core/config.ts"
import { currentRelease } from "../../src/core/release.ts"
import { HostError } from "../../src/host/host.ts"
import { settleDeployment } from "../../src/job/deploy-app/settle-unfinished.ts"
import { readUnfinished } from "../../src/job/deploy-app/unfinished-note.ts"
import { deployApp } from "../../src/job/deploy-app.ts"
import { silentLogger } from "../../src/job/logger.ts"
import { readHistory } from "../../src/job/release-history.ts"
import { waitHealthy } from "../../src/job/wait-healthy.ts"
import { directWork } from "../support/direct-work.ts"
import { deployHost, stackTools } from "../support/stack-tools.ts"
import { removeStack, resetStack, type StackPlace, testbed } from "../testbed/testbed.ts"
import { docker } from "./recreate-ground.ts"

const slot = 13

describe("a deployment that was cut off, ended by an action that deploys nothing", () => {
  let place: StackPlace
  before(async () => {
    place = await resetStack({ slot })
    await deploy(open(place), { release: "first", tag: "v1" })
  })
  after(() => removeStack({ slot }))

  it("is taken back before its copies got a request", async () => {
    await cut(place, { step: "switch-proxy", release: "early", tag: "v2" })
    await settleDeployment(open(place))
    await assertServes(place, { version: "1", release: "first" })
  })

  for (const [step, tag] of [
    ["drain-old", "v2"],
    ["tag-release", "v3"],
    ["record-release", "v1"],
  ] as const)
    it(`is finished and recorded when it was cut off before ${step}`, async () => {
      const release = `late-${step}`
      await cut(place, { step, release, tag })
      await settleDeployment(open(place))
      await assertServes(place, { version: tag.slice(1), release })
    })

  it("is taken back when its copies answer wrong, though requests go to them", async () => {
    const { version, release } = { version: "1", release: "late-record-release" }
    await cut(place, { step: "drain-old", release: "wrong", tag: "v2" })
    await settleDeployment(open(place, "/no-such-page"))
    await assertServes(place, { version, release })
  })

  it("keeps both sets and the note while neither serves, also beside a release that fails, and is ended once one does", async () => {
    const release = currentRelease(await readHistory(open(place)))?.id ?? ""
    await cut(place, { step: "switch-proxy", release: "neither", tag: "v2" })
    const { copies, note } = await left(place)
    await docker("stop", "--time", "1", ...copies)
    const said: string[] = []
    await settleDeployment(open(place, "/health", undefined, said))
    assert.deepEqual(await left(place), { copies, note })
    assert.match(said.join("\n"), /Neither release neither serves.*nothing of either is removed/)

    await assert.rejects(deploy(open(place), { release: "no-cure", tag: "crash" }), { code: "not-healthy" })
    assert.deepEqual(await left(place), { copies, note })

    await docker("start", ...(note?.old ?? []))
    await waitHealthy(open(place), await open(place).stack.servicesOf("app"), { containers: note?.old ?? [] })
    await settleDeployment(open(place))
    await assertServes(place, { version: "1", release })
  })

  it("puts back what was replaced in its place, too", async () => {
    const file = join(place.baseDir, "docker-compose.prod.yml")
    const alone = readFileSync(file, "utf8").replace(
      /^ {2}worker:\n/m,
      `  worker:\n    container_name: ${place.project}-solo\n`,
    )
    writeFileSync(file, alone)
    await deploy(open(place, null), { release: "alone", tag: "v1" })
    const images = await imagesOf(place)
    await assert.rejects(deploy(open(place, null, "stop-old"), { release: "mixed", tag: "v2" }), HostError)
    assert.notDeepEqual(await imagesOf(place), images)
    await settleDeployment(open(place, null))
    assert.deepEqual(await imagesOf(place), images)
    assert.equal(await readUnfinished(open(place)), undefined)
  })
})

async function left(place: StackPlace) {
  const tools = open(place)
  const all = (await tools.stack.containers()).filter((one) => ["api", "worker"].includes(one.service))
  return { copies: all.map((one) => one.id).toSorted(), note: await readUnfinished(tools) }
}

async function imagesOf(place: StackPlace) {
  const all = (await open(place).stack.containers()).filter((one) => ["api", "worker"].includes(one.service))
  return all.map((one) => `${one.service} ${one.imageId}`).toSorted()
}

interface Deployment {
  readonly release: string
  readonly tag: string
}

/** `path` null: no proxy stands in front. */
function open(place: StackPlace, path: string | null = "/health", step?: string, said: string[] = []) {
  const host = deployHost()
  const work = directWork(host, {
    beforeStep(name) {
      if (name === step) throw new HostError("lost", `cut before ${name}`)
    },
  })
  const url = `http://127.0.0.1:${place.httpPort}${path}`
  const { app } = configSchema.parse({
    project: "x",
    host: { address: "local" },
    app: path === null ? {} : { "health-url": url, proxy: {}, drain: "5s" },
  })
  const log = { ...silentLogger, warning: (line: string) => void said.push(line) }
  return stackTools(place, { host, work, log, config: { app } })
}

async function deploy(tools: ReturnType<typeof open>, { release, tag }: Deployment): Promise<void> {
  const image = `${testbed(slot).registry}/sample-app:${tag}`
  await deployApp(tools, { images: { api: image, worker: image }, releaseId: release, commit: "a".repeat(40) })
}

async function cut(place: StackPlace, { step, ...deployment }: Deployment & { readonly step: string }): Promise<void> {
  await assert.rejects(deploy(open(place, "/health", step), deployment), HostError)
}

async function assertServes(place: StackPlace, expected: { readonly version: string; readonly release: string }) {
  const tools = open(place)
  const copies = (await tools.stack.containers()).filter((one) => ["api", "worker"].includes(one.service))
  assert.deepEqual(copies.map((one) => one.service).toSorted(), ["api", "worker"])
  const answer = await fetch(`http://127.0.0.1:${place.httpPort}/version`)
  const { version } = (await answer.json()) as { version: string }
  const release = currentRelease(await readHistory(tools))
  assert.deepEqual({ version, release: release?.id }, expected)
  assert.equal(release?.commit, "a".repeat(40))
  assert.equal(await readUnfinished(tools), undefined)
  for (const copy of copies) assert.equal(copy.imageId, release?.images[0]?.imageId)
}
