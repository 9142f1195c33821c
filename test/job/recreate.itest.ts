import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { existsSync, readdirSync, renameSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { AppError } from "../../src/core/errors.ts"
import { finishInterrupted } from "../../src/job/finish-interrupted.ts"
import { recreate } from "../../src/job/recreate.ts"
import { removeStack, resetStack, type StackPlace, testbed } from "../testbed/testbed.ts"
import { backupId, composeFile, docker, image, open, readCompose, redis, rival, sql } from "./recreate-ground.ts"

const slot = 22

describe("recreate", () => {
  let place: StackPlace
  before(async () => {
    place = await resetStack({ slot, infraOnly: true })
    sql(place, "create table notes as select generate_series(1, 300) n")
    redis(place, "mset", "a", "1", "b", "2", "c", "3")
  })
  after(() => removeStack({ slot }))

  it("shows in a dry run which containers change and why, with the checkout's definition, and changes nothing", async () => {
    const tools = open(place, { dryRun: true, compose: changed(place, ["shm_size: 256m", "shm_size: 320m"]) })
    const earlier = await ids(place)
    const { plan } = await recreate(tools, { backupId: await backupId(open(place)) })

    const reasons = Object.fromEntries(plan.services.map((one) => [one.service, one.reason]))
    assert.equal(reasons.postgres, "its configuration changed")
    assert.equal(reasons.dragonfly, "unchanged, as all infrastructure is replaced")
    assert.deepEqual(plan.files, ["docker-compose.prod.yml"])
    assert.match(
      plan.services.find((one) => one.service === "postgres")?.keeps.join() ?? "",
      /data in volume .*postgres_data/,
    )
    assert.match(plan.engine, /^Docker \d+.*live-restore (true|false)$/)
    assert.ok(plan.free > 0)
    assert.equal(await ids(place), earlier)
    assert.match(readCompose(place), /shm_size: 256m/)
  })

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

  for (const how of ["running", "always"] as const)
    it(`refuses before anything stops while another container may serve the data (${how})`, async () => {
      const proof = { backupId: await backupId(open(place)) }
      const earlier = await starts(place)
      await using _theirs = await rival(place, how)
      await assert.rejects(recreate(open(place), proof), refusedWith("data-in-use"))
      assert.equal(await starts(place), earlier)
    })

  it("does not start its own server again when another one has come to the data meanwhile, and the next run does", async () => {
    const proof = { backupId: await backupId(open(place)) }
    let theirs: AsyncDisposable | undefined
    const beforeStep = async (step: string) => {
      if (step === "stop-postgres") theirs = await rival(place, "running")
    }
    await assert.rejects(recreate(open(place, { beforeStep }), proof), refusedWith("data-in-use"))
    const state = () => docker("inspect", "-f", "{{.State.Status}}", `${place.project}-postgres-1`)
    assert.equal(await state(), "exited")
    await finishInterrupted(open(place))
    assert.equal(await state(), "exited", "the other one is still there")
    await theirs?.[Symbol.asyncDispose]()
    await finishInterrupted(open(place))
    assert.equal(await state(), "running")
    assertData(place)
  })

  it("replaces containers, keeps the data, and says which database to reindex", async () => {
    sql(place, "update pg_database set datcollversion = '2.00' where datname = 'healthcare'")
    const earlier = await docker("inspect", "-f", "{{.Id}}", `${place.project}-postgres-1`)
    const tools = open(place, { compose: changed(place, ["shm_size: 256m", "shm_size: 320m"]) })
    const result = await recreate(tools, { backupId: await backupId(open(place)) })

    assert.equal(result.status, "recreated", result.cause)
    assert.equal(result.rung, "new-containers")
    assert.deepEqual(result.differences, [])
    assert.equal(result.advice.length, 1)
    assert.match(
      result.advice[0] ?? "",
      /REINDEX DATABASE "healthcare"; ALTER DATABASE "healthcare" REFRESH COLLATION VERSION;$/,
    )
    assert.notEqual(await docker("inspect", "-f", "{{.Id}}", `${place.project}-postgres-1`), earlier)
    assertData(place)
    sql(place, "alter database healthcare refresh collation version")
  })

  it("puts the previous images and definition back when the new ones do not serve", async () => {
    const tag = await image("t-rec/postgres:broken", "infra-testbed/postgres:17", 'ENTRYPOINT ["false"]')
    const compose = readCompose(place)
    const tools = open(place, { compose: changed(place, [postgresImage, `image: ${tag}`]) })
    const result = await recreate(tools, { backupId: await backupId(open(place)) })

    assert.equal(result.status, "rolled-back")
    assert.equal(result.rung, "previous-images")
    assert.match(result.cause ?? "", /service postgres/)
    assert.equal(readCompose(place), compose)
    assertData(place)
  })

  it("restores this run's backup when the new image has spoilt the data, and keeps what was there", async () => {
    const spoil = 'ENTRYPOINT ["sh", "-c", "rm -f /var/lib/postgresql/data/global/pg_control; exit 1"]'
    const tag = await image("t-rec/postgres:spoils", "infra-testbed/postgres:17", spoil)
    const tools = open(place, { compose: changed(place, [postgresImage, `image: ${tag}`]) })
    const id = await backupId(open(place))
    const result = await recreate(tools, { backupId: id })

    assert.equal(result.rung, "backup", result.cause)
    assert.equal(result.status, "rolled-back")
    assert.equal(result.kept.length, 1)
    assert.equal(result.differences.length, 1)
    const kept = readdirSync(join(place.baseDir, "data"))
    assert.ok(
      kept.some((name) => name.startsWith(`postgres.aside-${id}-`)),
      kept.join(),
    )
    assertData(place)
  })

  it("goes back when the new store of keys starts empty beside its snapshot, before it can save", async () => {
    const tools = open(place, { beforeStep: hideDump(place, "rename") })
    const result = await recreate(tools, { backupId: await backupId(open(place)) })

    assert.equal(result.status, "rolled-back")
    assert.equal(result.rung, "previous-images", result.cause)
    assert.match(result.cause ?? "", /dragonfly db0.keys: \(none\) instead of 3/)
    assertData(place)
  })

  it("restores the keys when the snapshot is gone for the previous image, too", async () => {
    const tools = open(place, { beforeStep: hideDump(place, "hide") })
    const result = await recreate(tools, { backupId: await backupId(open(place)) })

    assert.equal(result.rung, "backup", result.cause)
    assert.ok(tools.said.some((line) => line.includes("previous images do not serve either")))
    assertData(place)
  })

  it("makes missing containers on the data that is there, for the backup, and goes on", async () => {
    await docker("rm", "-f", `${place.project}-postgres-1`, `${place.project}-dragonfly-1`)
    const tools = open(place)
    const id = await backupId(tools)
    assert.ok(
      tools.said.some(
        (line) =>
          line.includes("missing containers of postgres, dragonfly") ||
          line.includes("missing containers of dragonfly, postgres"),
      ),
      tools.said.join("\n"),
    )
    const result = await recreate(open(place), { backupId: id })
    assert.equal(result.status, "recreated", result.cause)
    assertData(place)
  })

  it("does not make a container on an empty directory for a backup", async () => {
    await docker("rm", "-f", `${place.project}-dragonfly-1`)
    const data = join(place.baseDir, "data/dragonfly")
    renameSync(data, `${data}.elsewhere`)
    await assert.rejects(backupId(open(place)), refusedWith("data-missing"))
    execFileSync("rm", ["-rf", data])
    renameSync(`${data}.elsewhere`, data)
  })

  it("refuses a database that keeps its data in its container, also when the new definition has a volume for it", async () => {
    const held = readCompose(place)
    const file = join(place.baseDir, composeFile)
    writeFileSync(file, changed(place, ["postgres_data:/var/lib/postgresql/data", "postgres_data:/elsewhere"]))
    try {
      await docker("rm", "-f", `${place.project}-postgres-1`)
      const tools = open(place)
      // The data directory of the definition is full, and is not what this server serves.
      const id = await backupId(tools)
      await assert.rejects(recreate(open(place), { backupId: id }), refusedWith("no-persistent-volume"))
      const mended = open(place, { compose: held })
      await assert.rejects(recreate(mended, { backupId: id }), refusedWith("data-in-container"))
    } finally {
      writeFileSync(file, held)
      await docker("rm", "-f", `${place.project}-postgres-1`)
      await backupId(open(place))
    }
    assertData(place)
  })

  it("creates everything on a fresh host, and refuses to without a backup where there is data", async () => {
    await assert.rejects(recreate(open(place)), refusedWith("no-backup"))
    await removeStack({ slot })
    execFileSync(join(import.meta.dirname, "../testbed/stack"), ["--slot", String(slot), "layout"])
    const fresh = testbed(slot).stack
    const compose = changed(fresh, ["postgres_data:/var/lib/postgresql/data", "postgres_data:/elsewhere"])
    await assert.rejects(recreate(open(fresh, { compose })), refusedWith("no-persistent-volume"))
    const result = await recreate(open(fresh))
    assert.equal(result.status, "created")
    assert.deepEqual(result.differences, [])
    assert.deepEqual(new Set(result.plan.services.map((one) => one.action)), new Set(["create"]))
    assert.equal(sql(fresh, "select 1"), "1")

    redis(fresh, "set", "unsaved", "1")
    assert.deepEqual(readdirSync(join(fresh.baseDir, "data/dragonfly")), [])
    await assert.rejects(recreate(open(fresh), { services: ["dragonfly"] }), refusedWith("no-backup"))
  })
})

const postgresImage = /image: \$\{POSTGRES_IMAGE[^\n]*/

/** The compose file with parts replaced; each must be there. */
function changed(place: StackPlace, ...parts: readonly (readonly [string | RegExp, string])[]): string {
  return parts.reduce((text, [from, to]) => {
    const next = text.replace(from, () => to)
    assert.notEqual(next, text, `nothing to replace: ${from}`)
    return next
  }, readCompose(place))
}

/** Takes the snapshot away once it was written by the stop: `rename` brings it back before the previous images start. */
function hideDump({ baseDir }: StackPlace, how: "rename" | "hide") {
  const file = join(baseDir, "data/dragonfly/dump.rdb")
  return (step: string) => {
    if (step === "recreate-containers") renameSync(file, `${file}.hidden`)
    if (step === "put-images-back" && how === "rename") {
      assert.ok(!existsSync(file), "the empty store has saved")
      renameSync(`${file}.hidden`, file)
    }
  }
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

function assertData(place: StackPlace): void {
  assert.equal(sql(place, "select count(*) from notes"), "300")
  assert.equal(redis(place, "mget", "a", "b", "c"), "1\n2\n3")
}

function refusedWith(code: string) {
  return (error: unknown) => {
    assert.ok(error instanceof AppError)
    assert.equal(error.code, code, error.message)
    return error.kind === "refused"
  }
}

function ids({ project }: StackPlace): Promise<string> {
  return docker("ps", "-aq", "--no-trunc", "--filter", `label=com.docker.compose.project=${project}`)
}

/** Each container of the stack with its last start. */
async function starts(place: StackPlace): Promise<string> {
  const all = (await ids(place)).split("\n")
  return docker("inspect", "-f", "{{.Id}} {{.State.Status}} {{.State.StartedAt}}", ...all)
}
