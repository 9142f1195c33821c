import assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { finishInterrupted } from "../../src/job/finish-interrupted.ts"
import { assertDataStays } from "../../src/job/keep-volumes.ts"
import { recreate } from "../../src/job/recreate.ts"
import { servicesOf } from "../../src/job/stack-services.ts"
import type { Tools } from "../../src/job/tools.ts"
import { removeStack, resetStack, type StackPlace } from "../testbed/testbed.ts"
import {
  backupId,
  changed,
  composeFile,
  docker,
  ids,
  open,
  readCompose,
  refusedWith,
  rival,
  sql,
} from "./recreate-ground.ts"

const slot = 26

describe("what recreate refuses", () => {
  let place: StackPlace
  before(async () => {
    place = await resetStack({ slot, infraOnly: true })
    sql(place, "create table notes as select generate_series(1, 300) n")
  })
  after(() => removeStack({ slot }))

  it("refuses a definition that would part a database from its volume, and puts the old one back", async () => {
    const id = await backupId(open(place))
    const tools = open(place, {
      compose: changed(
        place,
        ["postgres_data:/var/lib/postgresql/data", "other_data:/var/lib/postgresql/data"],
        [/^volumes:/m, "volumes:\n  other_data: {}"],
      ),
    })
    await assert.rejects(recreate(tools, { backupId: id }), refusedWith("volume-would-be-lost"))
    assert.doesNotMatch(readCompose(place), /other_data/)

    const twin =
      "  twin:\n    profiles: [infrastructure]\n    image: infra-testbed/postgres:17\n    volumes: [postgres_data:/var/lib/postgresql/data]\n"
    const shared = open(place, { compose: changed(place, [/^services:\n/m, `services:\n${twin}`]) })
    const two = await servicesOf({ ...shared, stack: previewOf(shared) }, "infrastructure")
    await assert.rejects(assertDataStays({ stack: previewOf(shared) }, two), refusedWith("data-shared"))
  })

  it("refuses a definition by which the database would look elsewhere in its volume, and begin anew there", async () => {
    const proof = { backupId: await backupId(open(place)) }
    const compose = changed(place, [
      "      POSTGRES_USER:",
      "      PGDATA: /var/lib/postgresql/data/pgdata\n      POSTGRES_USER:",
    ])
    await assert.rejects(recreate(open(place, { compose }), proof), refusedWith("data-would-move"))
    assert.equal(sql(place, "select count(*) from notes"), "300")
  })

  it("refuses a definition that names another directory for a volume that is there", async () => {
    const proof = { backupId: await backupId(open(place)) }
    const compose = changed(place, ['/data/postgres"', '/data/another"'])
    await assert.rejects(recreate(open(place, { compose }), proof), refusedWith("volume-would-be-lost"))
  })

  it("takes nothing for lost where a service without data is replaced by itself, whatever the backups hold", async () => {
    await backupId(open(place))
    const result = await recreate(open(place), { services: ["nginx"] })
    assert.deepEqual([result.status, result.differences], ["created", []])
  })

  it("refuses before anything stops while sessions are live on a server of them, unless told to end them", async () => {
    let sessions = '{"numberOfElements":1,"content":[{"connections":{"numberOfElements":2}}]}'
    await using server = await openvidu(() => sessions)
    const earlier = await ids(place)
    const proof = { backupId: await backupId(open(place)) }
    const tools = open(place)
    const coturn = {
      kind: "openvidu" as const,
      url: server.url,
      "critical-tables": [],
      "sample-queries": [],
      timeout: 5000,
    }
    const occupied = { ...tools, config: { ...tools.config, services: { coturn } } }
    await assert.rejects(recreate(occupied, proof), refusedWith("sessions-live"))
    sessions = "not a list"
    await assert.rejects(recreate(occupied, proof), refusedWith("sessions-unknown"))
    assert.equal(await ids(place), earlier)
    const { status } = await recreate(occupied, { ...proof, services: ["coturn"], endSessions: true })
    assert.equal(status, "recreated")
    assert.notEqual(await ids(place), earlier)
  })

  it("refuses before anything stops while another container serves the data, or is started by the engine alone", async () => {
    const proof = { backupId: await backupId(open(place)) }
    const earlier = await starts(place)
    for (const how of ["running", "always"] as const) {
      await using _theirs = await rival(place, how)
      await assert.rejects(recreate(open(place), proof), refusedWith("data-in-use"))
    }
    assert.equal(await starts(place), earlier)
    for (const [service, policy] of [
      ["gone-from-the-files", "no"],
      ["coturn", "always"],
      ["coturn", "on-failure"],
    ] as const) {
      await using _theirs = await rival(place, "running", { service, policy })
      const now = await starts(place)
      await assert.rejects(recreate(open(place), proof), refusedWith("data-in-use"))
      assert.equal(await starts(place), now, `${service}, ${policy}`)
    }
  })

  it("does not start its own server again when another one has come to the data meanwhile, and the next run does", async () => {
    const proof = { backupId: await backupId(open(place)) }
    let theirs: AsyncDisposable | undefined
    const beforeStep = async (step: string) => {
      if (step === "stop-postgres") theirs = await rival(place, "running")
    }
    const tools = open(place, { beforeStep })
    await assert.rejects(recreate(tools, proof), refusedWith("data-in-use"))
    assert.match(tools.said.join("\n"), /Stopped are the app and .*postgres.*the next run starts them again/)
    const state = () => docker("inspect", "-f", "{{.State.Status}}", `${place.project}-postgres-1`)
    assert.equal(await state(), "exited")
    await finishInterrupted(open(place))
    assert.equal(await state(), "exited", "the other one is still there")
    await theirs?.[Symbol.asyncDispose]()
    await finishInterrupted(open(place))
    assert.equal(await state(), "running")
    assert.equal(sql(place, "select count(*) from notes"), "300")
  })

  it("refuses a database that keeps its data in its container, also when the new definition has a volume for it", async () => {
    const held = readCompose(place)
    const file = join(place.baseDir, composeFile)
    const lay = async (text: string) => {
      writeFileSync(file, text)
      const tools = open(place)
      await tools.work.step("up", tools.stack.up(["postgres"], { noDependencies: true }))
      return tools
    }
    const stays = async (tools: Tools) =>
      assertDataStays(tools, await servicesOf(tools, "infrastructure", ["postgres"]))
    const elsewhere = ["      POSTGRES_USER:", "      PGDATA: /srv/pgdata\n      POSTGRES_USER:"] as const
    const tools = await lay(changed(place, elsewhere))
    try {
      await assert.rejects(stays(tools), refusedWith("data-in-container"))
      const mended = tools.stack.preview([{ path: composeFile, content: held }])
      await assert.rejects(stays({ ...tools, stack: mended }), refusedWith("data-in-container"))
    } finally {
      await stays(await lay(held))
    }
  })
})

/** The stack as the checkout has it. */
function previewOf({ stack, definition }: Tools): Tools["stack"] {
  return stack.preview(
    definition.map(({ path, content }) => ({ path, content: Buffer.from(content).toString("utf8") })),
  )
}

/** A server with the two paths of OpenVidu 2 that are asked; coturn's container stands for the one that would be replaced. */
async function openvidu(sessions: () => string): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((request, response) =>
    response.end(request.url === "/openvidu/api/health" ? '{"status":"UP"}' : sessions()),
  )
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

/** Each container of the stack with its last start. */
async function starts(place: StackPlace): Promise<string> {
  const all = (await ids(place)).split("\n")
  return docker("inspect", "-f", "{{.Id}} {{.State.Status}} {{.State.StartedAt}}", ...all)
}
