import assert from "node:assert/strict"
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, describe, test } from "node:test"
import { followCommand, readVerdict, startCommand } from "../../src/host/keeper.ts"
import { sh } from "../../src/shell/command.ts"
import { gone, keeperGround, run, until } from "./keeper-ground.ts"
import { runIn, shells, startIn } from "./shells.ts"

const { piece, remove } = keeperGround()
after(remove)

for (const shell of shells) {
  describe(`followers under ${shell.name}`, { concurrency: 2 }, () => {
    test("followers that are killed lose and double no byte", async () => {
      const work = piece(shell)
      const script = sh`i=0; while [ "$i" -lt 400 ]; do i=$((i + 1)); echo "line $i" ${"é".repeat(200)}; case $i in *0) sleep 0.05 ;; esac; done; until [ -e ${work.lock}/enough ]; do sleep 0.05; done`
      const expected = Array.from({ length: 400 }, (_, i) => `line ${i + 1} ${"é".repeat(200)}\n`).join("")
      const chunks: Buffer[] = []
      let [cuts, stderr] = [0, ""]
      for (let command = startCommand(work, script, undefined); readVerdict(stderr) === undefined; cuts += 1) {
        const client = startIn(shell, command)
        client.stdout.on("data", (chunk: Buffer) => chunks.push(chunk))
        stderr = ""
        client.stderr.on("data", (chunk) => {
          stderr += chunk
        })
        const timer = setTimeout(() => process.kill(-(client.pid ?? 0), "SIGKILL"), 350 + 130 * cuts)
        await new Promise((resolve) => client.once("close", resolve))
        clearTimeout(timer)
        if (cuts === 3) writeFileSync(`${work.lock}/enough`, "")
        command = followCommand(work.folder, Buffer.concat(chunks).length)
        assert.ok(cuts < 40, "no end")
      }
      assert.ok(cuts >= 3, `only ${cuts} followers`)
      const got = Buffer.concat(chunks).toString()
      assert.ok(got === expected, `${got.length} characters instead of ${expected.length}`)
      await gone(work)
    })

    test("a repeated start does not start twice", async () => {
      const work = piece(shell)
      const script = sh`echo ran >>${work.lock}/ran; sleep 0.3`
      const [one, two] = await Promise.all([run(shell, work, script), run(shell, work, script)])
      assert.deepEqual([one.code, two.code].toSorted(), [0, 75])
      assert.equal(readFileSync(`${work.lock}/ran`, "utf8"), "ran\n")
    })

    test("never started: said after ten seconds, and it cannot start later", async () => {
      const work = piece(shell)
      // Twice: the word of the first follower can be lost on the way.
      for (const { stderr } of [
        await runIn(shell, followCommand(work.folder, 0)),
        await runIn(shell, followCommand(work.folder, 0)),
      ])
        assert.deepEqual(readVerdict(stderr)?.verdict, { kind: "unstarted" })
      assert.equal((await runIn(shell, startCommand(work, sh`echo ran`, undefined))).code, 75)
    })

    test("a place where nothing can be made is an error, not work that goes on", async () => {
      const work = piece(shell)
      mkdirSync(join(work.folder, ".."))
      symlinkSync("/nowhere/at-all", work.folder)
      for (const command of [startCommand(work, sh`echo ran`, undefined), followCommand(work.folder, 0)]) {
        const { code, stderr } = await runIn(shell, command)
        assert.equal(code, 74)
        assert.match(stderr, new RegExp(work.folder))
      }
    })

    test("the limit ends it without any client", async () => {
      const work = piece(shell, { limit: 1000 })
      const client = startIn(shell, startCommand(work, sh`sleep 60; echo never`, undefined))
      await until("it runs", () => existsSync(`${work.folder}/pid`))
      process.kill(-(client.pid ?? assert.fail("no client")), "SIGKILL")
      await until("it ended", () => existsSync(`${work.folder}/rc`))
      const { stdout, stderr } = await runIn(shell, followCommand(work.folder, 0))
      assert.equal(stdout, "")
      assert.deepEqual(readVerdict(stderr)?.verdict, { kind: "ended", code: 143, limit: true })
      await gone(work)
    })
  })
}
