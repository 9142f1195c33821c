import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, rmdirSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { failure } from "../../src/core/errors.ts"
import { HostError } from "../../src/host/host.ts"
import { backup } from "../../src/job/backup.ts"
import { cleanReplaced } from "../../src/job/clean-replaced.ts"
import { finishInterrupted } from "../../src/job/finish-interrupted.ts"
import { leftOnHost } from "../../src/job/left-on-host.ts"
import { restore } from "../../src/job/restore.ts"
import { readStoppedApp } from "../../src/job/stopped-app-note.ts"
import { undoRestore } from "../../src/job/undo-restore.ts"
import { removeStack, type StackPlace } from "../testbed/testbed.ts"
import { backedUpNotes, docker, open, redis, sql } from "./recreate-ground.ts"

const slot = 25

describe("a restore into a server that does not serve", () => {
  let place: StackPlace
  let id: string
  before(async () => {
    ;({ place, id } = await backedUpNotes(slot))
  })
  after(() => removeStack({ slot }))

  const name = (service: string) => `${place.project}-${service}-1`
  const state = (service: string) => docker("inspect", "-f", "{{.State.Status}}", name(service))
  const aside = () => readdirSync(join(place.baseDir, "data")).filter((one) => one.includes(".aside-"))
  const spoil = async () => {
    await docker("stop", name("postgres"))
    execFileSync("rm", [join(place.baseDir, "data/postgres/global/pg_control")])
  }

  it("leaves its data alone when it cannot start for another reason, and the next run starts the app", async () => {
    await docker("stop", name("postgres"))
    const rival = `t-rec-port-${process.pid}`
    const port = `127.0.0.1:${place.postgresPort}:1`
    const run = ["run", "-d", "--rm", "--name", rival, "--label", "infra-actions.testbed=1", "-p", port]
    await docker(...run, "infra-testbed/base:bookworm", "sleep", "600")
    try {
      await assert.rejects(restore(open(place), { backupId: id }), /port is already allocated|address already in use/)
    } finally {
      await docker("kill", rival)
    }
    assert.deepEqual(aside(), [])
    await docker("start", name("postgres"))
    await finishInterrupted(open(place))
    assert.equal(await state("api"), "running")
    assert.equal(sql(place, "select count(*) from notes"), "30")
  })

  it("does not start the app on an empty database when the restore fails, and says where the old data is", async () => {
    await spoil()
    const beforeStep = (step: string) => {
      if (step.startsWith("restore-postgres")) throw failure("no-extension", "the extension is not there")
    }
    const tools = open(place, { beforeStep })
    await assert.rejects(restore(tools, { backupId: id }), {
      code: "restore-failed",
      message: new RegExp(
        `the extension is not there; what was there before, unreadable, is in .*\\.aside-${id}-\\d{6}$`,
      ),
    })
    assert.deepEqual(
      aside().map((name) => name.replace(/-\d{6}$/, "")),
      [`postgres.aside-${id}`],
    )
    assert.equal(await state("api"), "exited")
    assert.equal((await readStoppedApp(tools))?.awaits, "restore")
  })

  it("is then finished by the next run that changes the host, and the app starts", async () => {
    const tools = open(place)
    await finishInterrupted(tools)
    assert.match(tools.said.join("\n"), new RegExp(`The restore of ${id} is finished`))
    assert.equal(sql(place, "select count(*) from notes"), "30")
    assert.equal(await state("api"), "running")
    assert.equal(aside().length, 1, "what was set aside stays")
  })

  it("names what was set aside, and removes it only after a later backup of the server that serves now", async () => {
    const tools = open(place)
    const path = join(place.baseDir, "data", aside()[0] ?? assert.fail())
    const like = join(place.baseDir, "data/postgres.aside-backup-20200101-000000-000000")
    mkdirSync(like)
    const { items, unknown } = await leftOnHost(tools)
    assert.deepEqual(unknown, [])
    const [item, ...more] = items.filter(({ service, name }) => service === "postgres" && name.startsWith("/"))
    assert.deepEqual([item?.name, item?.what, item?.removal], [path, "the data directory of postgres", "clean"])
    assert.deepEqual(more, [])
    assert.ok(item && item.bytes > 1_000_000 && (item.age ?? -1) >= 0 && (item.age ?? 0) < 600_000)
    // As an upgrade leaves that was undone.
    const failed = path.replace(".aside-", ".failed-")
    mkdirSync(failed)
    const clean = (age: number) => cleanReplaced(tools, { age, services: ["postgres"] })
    await assert.rejects(clean(0), { code: "backup-not-proven" })
    // A runner whose clock is a day ahead: what it makes is dated by the host's.
    const ahead = { ...tools.clock, now: () => new Date(Date.now() + 86_400_000) }
    const { manifest } = await backup({ ...tools, clock: ahead })
    assert.ok(Math.abs(Date.parse(manifest.created) - Date.now()) < 120_000, manifest.created)
    assert.match((await clean(3_600_000)).kept.join(), new RegExp(`postgres\\.aside-${id}-\\d{6}" \\(was`))
    assert.match((await clean(0)).removed.join(), new RegExp(`postgres\\.aside-${id}-\\d{6}" \\(was`))
    assert.deepEqual([path, failed, like].map(existsSync), [false, false, true], "what only looks like ours stays")
    assert.deepEqual(readdirSync(join(tools.layout.state, "aside")), [])
    rmdirSync(like)
  })

  it("that is finished by another run is one restore for an undo", async () => {
    const before = [sql(place, "delete from notes where n > 7; select count(*) from notes"), "later"]
    redis(place, "set", "mark", "later")
    await assert.rejects(restore(open(place, { beforeStep: deadAfter("note-restored-postgres") }), { backupId: id }))
    const tools = open(place)
    await finishInterrupted(tools)
    assert.match(tools.said.join("\n"), /Restoring dragonfly, which the restore had not come to/)
    assert.deepEqual([sql(place, "select count(*) from notes"), redis(place, "get", "mark")], ["30", ""])
    assert.deepEqual((await undoRestore(open(place))).left, [])
    assert.deepEqual([sql(place, "select count(*) from notes"), redis(place, "get", "mark")], before)
  })

  it("whose undo the app does not serve on is not undone by who asks for the undo again", async () => {
    const unserved = () => {
      const tools = open(place)
      const check: typeof tools.work.check = async (name, ...more) => {
        if (name === "wait-writers") throw failure("not-healthy", "service api is not healthy")
        return tools.work.check(name, ...more)
      }
      return { ...tools, work: { ...tools.work, check } }
    }
    await assert.rejects(undoRestore(unserved()), { code: "app-not-healthy", message: /^the restore is undone, but/ })
    const restored = ["30", ""]
    const state = () => [sql(place, "select count(*) from notes"), redis(place, "get", "mark")]
    assert.deepEqual(state(), restored)
    const undone = await finishInterrupted(unserved())
    assert.match(undone ?? "", /^dragonfly and postgres as before the restore/)
    await assert.rejects(undoRestore({ ...unserved(), ...(undone && { undone }) }), { code: "app-not-healthy" })
    assert.deepEqual(state(), restored)
    assert.equal(await finishInterrupted(open(place)), undone)
    assert.equal(await finishInterrupted(open(place)), undefined)
    assert.deepEqual(state(), restored)
  })

  it("of keys that was cut is left alone once somebody has started the app", async () => {
    const cut = deadAfter("start-dragonfly")
    await assert.rejects(restore(open(place, { beforeStep: cut }), { backupId: id, services: ["dragonfly"] }))
    await docker("start", name("api"))
    redis(place, "set", "since", "1")
    const tools = open(place)
    await finishInterrupted(tools)
    assert.match(
      tools.said.join("\n"),
      /What dragonfly held before the restore lies in \/\S+\/\.pre-restore-[\s\S]*Somebody has started the app since, so nothing is changed/,
    )
    assert.equal(redis(place, "get", "since"), "1")
    assert.equal(await readStoppedApp(tools), undefined)
  })

  it("of keys that was cut is undone also when somebody has removed the container since", async () => {
    redis(place, "set", "mine", "kept")
    const cut = deadAfter("swap-dragonfly")
    await assert.rejects(restore(open(place, { beforeStep: cut }), { backupId: id, services: ["dragonfly"] }))
    await docker("rm", "--force", name("dragonfly"))
    const tools = open(place)
    await finishInterrupted(tools)
    assert.match(tools.said.join("\n"), /Making the missing containers of dragonfly[\s\S]*The restore is undone/)
    assert.equal(redis(place, "get", "mine"), "kept")
  })

  it("into the place of a database that somebody has dropped is finished after a cut, or put aside when it fails", async () => {
    const drop = () => sql(place, "drop database healthcare with (force)", "postgres")
    const live = () => sql(place, "select count(*) from pg_database where datname = 'healthcare'", "postgres")
    drop()
    redis(place, "set", "mine", "later")
    await assert.rejects(restore(open(place, { beforeStep: deadAfter("swap-postgres") }), { backupId: id }))
    const settling = open(place)
    await finishInterrupted(settling)
    assert.match(settling.said.join("\n"), new RegExp(`The restore of ${id} is finished`))
    assert.deepEqual([sql(place, "select count(*) from notes"), redis(place, "get", "mine")], ["30", ""])
    drop()
    redis(place, "set", "mine", "kept")
    const beforeStep = (step: string) => {
      if (step === "start-dragonfly") throw failure("load-failed", "it does not load")
    }
    const failing = open(place, { beforeStep })
    await assert.rejects(restore(failing, { backupId: id }), { code: "restore-failed" })
    assert.match(failing.said.join("\n"), /The restore is undone: the data is as it was before/)
    assert.match(failing.said.join("\n"), /Then the app did not start on the data of before: service \w+ is unhealthy/)
    assert.doesNotMatch(failing.said.join("\n"), /The app stays stopped/)
    assert.deepEqual([live(), redis(place, "get", "mine")], ["0", "kept"])
    await restore(open(place), { backupId: id })
    assert.deepEqual([sql(place, "select count(*) from notes"), redis(place, "get", "mine")], ["30", ""])
  })

  it("goes on with a server that answers although its health check fails", async () => {
    sql(place, "delete from notes")
    await docker("exec", "-u", "0", name("postgres"), "sh", "-c", 'mv "$(command -v pg_isready)" /tmp/pg_isready')
    await until(
      async () => (await docker("inspect", "-f", "{{.State.Health.Status}}", name("postgres"))) === "unhealthy",
    )
    const before = aside()
    const done = await restore(open(place), { backupId: id, services: ["postgres"] })
    assert.equal(done.tables > 0, true)
    assert.deepEqual(aside(), before)
    assert.equal(sql(place, "select count(*) from notes"), "30")
  })
})

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let left = 360; !(await holds()); left -= 1) {
    assert.ok(left > 0, "it never came to that")
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

/** For `beforeStep`: as in a killed run, nothing of it happens after this step. */
function deadAfter(step: string) {
  let [seen, dead] = [false, false]
  return (name: string) => {
    dead ||= seen
    seen ||= name === step
    if (dead) throw new HostError("lost", `dead before ${name}`)
  }
}
