import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, describe, test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { startCommand } from "../../src/host/keeper.ts"
import { jobProgram } from "../../src/remote/call.ts"
import { sh } from "../../src/shell/command.ts"
import { call, gone, keeperGround, run, until } from "./keeper-ground.ts"
import { processesNaming, runIn, shells } from "./shells.ts"

const { piece, remove } = keeperGround()
after(remove)

for (const shell of shells) {
  describe(`keeper under ${shell.name}`, { concurrency: 3 }, () => {
    for (const [code, body] of [
      [0, sh`echo out; echo err >&2`],
      [7, sh`echo out; echo err >&2; exit 7`],
      [143, sh`echo out; echo err >&2; kill -TERM $$`],
      [137, sh`echo out; echo err >&2; kill -KILL $$`],
    ] as const) {
      test(`code ${code}, both outputs, two journal lines, nobody left`, async () => {
        const work = piece(shell)
        const ended = await run(shell, work, body)
        assert.equal(ended.code, 0)
        assert.equal(ended.stdout, "out\n")
        assert.match(ended.stderr, /^err\n/)
        assert.deepEqual(ended.verdict, { kind: "ended", code, limit: false })
        assert.deepEqual(ended.journal, ["run-1 step begin", `run-1 step ${code === 0 ? "end" : "failed"} ${code}`])
        await gone(work)
      })
    }

    test("stop: asks the whole group, its own answer to TERM counts", async () => {
      const work = piece(shell)
      const running = run(shell, work, sh`trap 'exit 9' TERM; echo ready; while :; do sleep 0.1; done`)
      await until("ready", () => existsSync(`${work.folder}/log`) && readFileSync(`${work.folder}/log`).length > 0)
      assert.equal((await call(shell, "work_stop", work.folder, 5)).code, 0)
      assert.deepEqual((await running).verdict, { kind: "ended", code: 9, limit: false })
      await gone(work)
    })

    test("stop: makes those who do not listen, with their children", async () => {
      const work = piece(shell)
      const running = run(shell, work, sh`trap '' TERM; echo ready; sh -c 'while :; do sleep 0.1; done' ${work.folder}`)
      await until("ready", () => existsSync(`${work.folder}/log`) && readFileSync(`${work.folder}/log`).length > 0)
      assert.equal((await call(shell, "work_stop", work.folder, 1)).code, 0)
      const ended = await running
      assert.deepEqual(ended.verdict, { kind: "ended", code: 137, limit: false })
      assert.deepEqual(ended.journal, ["run-1 step begin", "run-1 step failed 137"])
      await gone(work)
    })

    test("stop: it has not ended while a child of it, which does not listen, goes on", async () => {
      const work = piece(shell)
      const running = run(shell, work, sh`(trap '' TERM; while :; do sleep 0.1; done) & echo ready; sleep 60`)
      await until("ready", () => existsSync(`${work.folder}/log`) && readFileSync(`${work.folder}/log`).length > 0)
      assert.equal((await call(shell, "work_stop", work.folder, 1)).code, 0)
      assert.deepEqual((await running).verdict, { kind: "ended", code: 137, limit: false })
      await gone(work)
    })

    test("input reaches the work by a file of mode 600 that is gone afterwards", async () => {
      const work = piece(shell)
      const hush = `hush-${randomBytes(8).toString("hex")}`
      const ended = await run(
        shell,
        work,
        sh`stat -c %a ${work.folder}/input; stat -c %a ${work.folder}; cat`,
        `${hush}\n${hush}`,
      )
      assert.equal(ended.stdout, `600\n700\n${hush}\n${hush}`)
      assert.ok(!existsSync(`${work.folder}/input`))
      assert.equal(processesNaming(hush).length, 0)
    })

    test("an input that is cut starts nothing", async () => {
      const work = piece(shell)
      const { code, stderr } = await runIn(shell, startCommand(work, sh`echo ran`, 9), "short")
      assert.equal(code, 74)
      assert.match(stderr, /input of .* is cut/)
      assert.ok(!existsSync(`${work.folder}/pid`) && !existsSync(`${work.folder}/input`))
    })

    test("killed from outside: cut, not ended", async () => {
      const work = piece(shell)
      const running = run(shell, work, sh`sleep 60`, "hush")
      await until("it runs", () => existsSync(`${work.folder}/pid`))
      process.kill(-Number(readFileSync(`${work.folder}/pid`, "utf8").split(" ")[0]), "SIGKILL")
      assert.deepEqual((await running).verdict, { kind: "cut" })
      assert.ok(!existsSync(`${work.folder}/input`), "nobody reads it any more")
      assert.match((await call(shell, "work_list", join(work.folder, ".."))).stdout, /^cut 1 - run-1 step run-1-step-/)
      await call(shell, "work_settle", join(work.folder, ".."), work.folder.split("/").at(-1) ?? "")
      assert.equal((await call(shell, "work_list", join(work.folder, ".."))).stdout, "", "it was dealt with")
      await gone(work)
    })

    test("killed alone: what it had started is ended, and only then it counts as cut", async () => {
      const work = piece(shell)
      const running = run(shell, work, sh`echo ready; while :; do sleep 0.1; done`)
      await until("ready", () => existsSync(`${work.folder}/log`) && readFileSync(`${work.folder}/log`).length > 0)
      process.kill(Number(readFileSync(`${work.folder}/pid`, "utf8").split(" ")[0]), "SIGKILL")
      const ended = await running
      assert.deepEqual(ended.verdict, { kind: "cut" })
      assert.deepEqual(
        processesNaming(`${work.folder}/script`),
        [],
        "a script that goes on while the next run thinks it dead",
      )
      await gone(work)
    })

    test("a process of an earlier boot, or another one with its number, is not alive", async () => {
      const work = piece(shell)
      const running = run(shell, work, sh`sleep 6`)
      await until("it runs", () => existsSync(`${work.folder}/pid`))
      const [pid, start, boot] = readFileSync(`${work.folder}/pid`, "utf8").trim().split(" ")
      assert.equal((await call(shell, "work_alive", work.folder)).code, 0)
      const other = `${work.folder}-other`
      mkdirSync(other)
      for (const line of [
        `${pid} ${start} other-boot`,
        `${pid} ${Number(start) - 1} ${boot}`,
        `4194303 ${start} ${boot}`,
      ]) {
        writeFileSync(`${other}/pid`, `${line}\n`)
        assert.notEqual((await call(shell, "work_alive", other)).code, 0, line)
      }
      await running
    })

    test("a job whose start was given up in the meantime does nothing", async () => {
      const work = piece(shell)
      await run(shell, work, sh`echo ran >>${work.lock}/ran`)
      await until("the watcher is gone", () => !existsSync(`${work.folder}/job`))
      rmSync(`${work.folder}/pid`)
      writeFileSync(`${work.folder}/job`, jobProgram())
      const { code } = await runIn(shell, sh`sh ${work.folder}/job job_run ${work.folder}`)
      assert.equal(code, 0)
      assert.equal(readFileSync(`${work.lock}/ran`, "utf8"), "ran\n", "`go` was taken: it must not run again")
      assert.ok(!existsSync(`${work.folder}/pid`))
    })

    test("no journal, no work", async () => {
      const work = piece(shell, { journal: "/proc/no/journal" })
      const ended = await run(shell, work, sh`echo ran`)
      assert.deepEqual(ended.verdict, { kind: "ended", code: 74, limit: false })
      assert.equal(ended.stdout, "")
      assert.match(ended.stderr, /nothing was done/)
    })

    test("keeps the lease while it works and gives it back at the end when asked", async () => {
      const work = piece(shell, { ttl: 4000 })
      assert.equal((await call(shell, "lease_claim", work.lock, 4, "{}")).stdout, "claimed 1\n")
      const running = run(shell, work, sh`sleep 12`)
      await until("first beat", () => existsSync(`${work.lock}/beat.1`))
      const answer = await call(shell, "lease_release", work.lock, 1, join(work.folder, ".."))
      assert.equal(answer.stdout, `working ${work.folder.split("/").at(-1)}\n`)
      await sleep(5000)
      assert.match(
        (await call(shell, "lease_claim", work.lock, 4, "{}")).stdout,
        /^held 1 /,
        "still ours, without a client",
      )
      await running
      await until("it is released", () => existsSync(`${work.lock}/done.1`))
      assert.equal((await call(shell, "lease_claim", work.lock, 4, "{}")).stdout, "claimed 2\n")
      await gone(work)
    })

    test("old work is forgotten, live work never", async () => {
      const work = piece(shell)
      const parent = join(work.folder, "..")
      const running = run(shell, work, sh`sleep 6`)
      await until("it runs", () => existsSync(`${work.folder}/pid`))
      const old = Date.now() / 1000 - 30 * 86_400
      for (let n = 0; n < 220; n += 1) {
        mkdirSync(join(parent, `old-${n}`))
        writeFileSync(join(parent, `old-${n}`, "rc"), "0\n")
        if (n < 10) utimesSync(join(parent, `old-${n}`), old, old)
      }
      utimesSync(work.folder, old, old)
      const next = { ...work, folder: `${work.folder}-next` }
      assert.deepEqual((await run(shell, next, sh`true`)).verdict, { kind: "ended", code: 0, limit: false })
      const left = readdirSync(parent)
      assert.ok(statSync(work.folder).isDirectory())
      assert.ok(!left.includes("old-0") && left.length <= 202, `${left.length} left`)
      assert.deepEqual((await running).verdict, { kind: "ended", code: 0, limit: false })
    })
  })
}
