import assert from "node:assert/strict"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import type { AppError } from "../../src/core/errors.ts"
import { claimLease } from "../../src/host/claim-lease.ts"
import { CommandError, HostError } from "../../src/host/host.ts"
import { localHost } from "../../src/host/local.ts"
import { releaseLease } from "../../src/host/open-lease.ts"
import { openWork } from "../../src/host/open-work.ts"
import { forceReleaseLease, readLease } from "../../src/host/read-lease.ts"
import { acknowledgeWork, settleWork, unfinishedWork } from "../../src/host/settle-work.ts"
import { change, sh } from "../../src/shell/command.ts"
import { Secret } from "../../src/shell/secret.ts"

const host = localHost()
const root = mkdtempSync(join(tmpdir(), "infra-actions-"))
after(async () => {
  await host[Symbol.asyncDispose]()
  rmSync(root, { recursive: true, force: true })
})

const holder = { run: "77", attempt: "1", actor: "alice", purpose: "backup", url: "https://example.org/77" }
let count = 0
function place() {
  count += 1
  const state = join(root, `state-${count}`)
  return { lock: `${state}/lock`, work: `${state}/work`, journal: `${state}/journal.jsonl`, state }
}

async function open(options: { ttl?: number; signal?: AbortSignal; log?: (line: string) => void } = {}) {
  const layout = place()
  const lease = await claimLease(host, { directory: layout.lock, holder, ...options })
  return { layout, lease, work: openWork(host, { lease, layout, id: `run-${count}`, ...options }) }
}

function journal(path: string): readonly string[] {
  const lines = readFileSync(path, "utf8").trimEnd().split("\n")
  return lines.map((line) => Object.values(JSON.parse(line)).slice(1).join(" "))
}

describe("work", { concurrency: 4 }, () => {
  test("a step's output, lines, code, journal; then the outcome", async () => {
    const { work, lease, layout } = await open()
    const seen: string[] = []
    const result = await work.step("dump-db", change`echo "one"; echo two >&2; printf 'thrée'`, {
      onLine: (line) => seen.push(line),
    })
    assert.deepEqual([result.code, result.stdout, result.stderr.trim()], [0, "one\nthrée", "two"])
    assert.deepEqual(seen, ["one", "thrée"])
    assert.equal((await work.step("next", change`true`)).stdout, "")
    await work.finish("done")
    assert.match(
      journal(layout.journal).join("\n"),
      /dump-db begin\n.*dump-db end 0\n.*next begin\n.*next end 0\n\S+ done$/,
    )
    assert.deepEqual(
      readdirSync(layout.work)
        .map((name) => name.replace(/^run-\d+-/, ""))
        .toSorted(),
      ["1-dump-db", "2-next"],
    )
    await lease.release()
    assert.equal(await readLease(host, layout.lock), undefined)
  })

  test("another code than 0 is a CommandError that ends with the last error line", async () => {
    const { work, lease } = await open()
    await assert.rejects(work.step("swap", change`echo partly; echo "no space left" >&2; exit 3`), (error) => {
      assert.ok(error instanceof CommandError)
      assert.equal(error.result.code, 3)
      assert.equal(error.result.stdout, "partly\n")
      assert.match(error.message, /ended with exit code 3: no space left$/)
      return true
    })
    await assert.rejects(work.step("own-79", change`exit 79`), CommandError, "its own 79 while the lease is held")
    await lease.release()
  })

  test("a secret as input reaches the step and nothing else", async () => {
    const { work, lease, layout } = await open()
    const result = await work.step("use-key", change`wc -c`, {
      input: new Secret("key", "hunter2"),
    })
    assert.equal(result.stdout.trim(), "7")
    assert.equal((await host.run(sh`grep -rl hunter2 ${layout.state}`, { allow: "any" })).stdout, "")
    await lease.release()
  })

  test("a run that lost its lease does nothing more", async () => {
    const { work, lease, layout } = await open()
    await work.step("first", change`true`)
    assert.equal(await forceReleaseLease(host, layout.lock, lease.number), true)
    const file = `${layout.state}/harm`
    await assert.rejects(work.step("harm", change`touch ${file}`), { code: "lease-lost" })
    assert.ok(!existsSync(file))
    await assert.rejects(lease.renew(), { code: "lease-lost" })
    await lease.release()
  })

  test("a step that outlives its limit is ended, and says so", async () => {
    const { work, lease } = await open()
    await assert.rejects(work.step("slow", change`sleep 60`, { timeout: 1000 }), (error: AppError) => {
      assert.equal(error.code, "step-timeout")
      assert.match(error.message, /slow was ended after 1.0s/)
      return true
    })
    await lease.release()
  })

  test("a state directory that cannot be made: nothing done, and why", async () => {
    const { lease } = await open()
    const work = openWork(host, { lease, layout: { work: "/proc/no/work", journal: "/proc/no/journal" }, id: "x" })
    await assert.rejects(work.step("first", change`true`), (error: AppError) => {
      assert.equal(error.code, "step-not-started")
      assert.match(error.message, /nothing was done: .*\/proc\/no/)
      return true
    })
    await lease.release()
  })

  test("ids and paths that would break the journal are refused", async () => {
    const { lease, layout } = await open()
    assert.throws(() => openWork(host, { lease, layout, id: 'a"b' }), TypeError)
    const work = openWork(host, { lease, layout: { ...layout, journal: "/tmp/a\nb" }, id: "a" })
    await assert.rejects(work.step("x", change`true`), { code: "path-newline" })
    await lease.release()
  })

  test("on abort: left at once, not killed; the next run waits for it; the lock frees itself", async () => {
    const controller = new AbortController()
    const { work, lease, layout } = await open({ signal: controller.signal })
    const file = `${layout.state}/done`
    const running = work.step("restore", change`sleep 10; touch ${file}`)
    running.catch(() => {}) // awaited below
    while (!existsSync(layout.journal)) await sleep(20)
    const from = Date.now()
    controller.abort()
    await assert.rejects(running, (error) => error instanceof HostError && error.fault === "aborted")
    assert.ok(Date.now() - from < 8000)
    assert.match(journal(layout.journal).join("\n"), /restore begin\n\S+ restore left$/)
    assert.equal(await releaseLease(host, { directory: layout.lock, number: lease.number }), "working")
    await lease.release()

    const left = await unfinishedWork(host, { layout })
    assert.deepEqual(
      left.running.map(({ step, claim }) => [step, claim]),
      [["restore", lease.number]],
    )
    await assert.rejects(settleWork(host, { layout, wait: 100 }), { code: "work-alive" })
    await assert.rejects(claimLease(host, { directory: layout.lock, holder }), { code: "lock-held" })
    const next = await claimLease(host, { directory: layout.lock, holder, wait: 60_000, poll: 100 })
    assert.ok(existsSync(file), "the lock came free before the work had ended")
    const settled = await settleWork(host, { layout, wait: 30_000 })
    assert.deepEqual([settled.running, settled.cut], [[], []])
    assert.equal(settled.runs.length, 1, "that run never said how it ended")
    await acknowledgeWork(host, layout, settled)
    assert.deepEqual((await unfinishedWork(host, { layout })).runs, [])
    await next.release()
  })

  test("work that is killed from outside is cut: said now and to the next run, until it was dealt with", async () => {
    const { work, lease, layout } = await open()
    const running = work.step("swap", change`echo $$ >${layout.state}/pid; sleep 60`)
    running.catch(() => {}) // awaited below
    while (!existsSync(`${layout.state}/pid`)) await sleep(20)
    const [folder = assert.fail()] = readdirSync(layout.work)
    process.kill(-Number(readFileSync(join(layout.work, folder, "pid"), "utf8").split(" ")[0]), "SIGKILL")
    await assert.rejects(running, { code: "step-cut" })
    const found = await settleWork(host, { layout })
    assert.deepEqual(
      found.cut.map(({ step }) => step),
      ["swap"],
    )
    await acknowledgeWork(host, layout, found)
    assert.deepEqual((await settleWork(host, { layout })).cut, [])
    await lease.release()
  })
})

describe("work over a connection that breaks", () => {
  before(async () => {
    for (let looks = 0; ourShells().length > 0; looks += 1) {
      assert.ok(looks < 600, "commands of other tests still run")
      await sleep(100)
    }
  })

  test("is followed on: every byte once, one start", async () => {
    const log: string[] = []
    const { work, lease, layout } = await open({ log: (line) => log.push(line) })
    const running = work.step(
      "long",
      change`echo start >>${layout.state}/starts; i=0; while [ "$i" -lt 120 ]; do i=$((i + 1)); echo "line $i"; sleep 0.05; done; until [ -e ${layout.state}/enough ]; do sleep 0.05; done`,
    )
    running.catch(() => {}) // awaited below
    while (!existsSync(`${layout.state}/starts`)) await sleep(20)
    while (log.filter((line) => line.startsWith("lost sight")).length < 3) {
      await sleep(1200)
      for (const pid of ourShells()) process.kill(-pid, "SIGKILL")
    }
    writeFileSync(`${layout.state}/enough`, "")
    const result = await running
    assert.equal(result.stdout, Array.from({ length: 120 }, (_, i) => `line ${i + 1}\n`).join(""))
    assert.equal(readFileSync(`${layout.state}/starts`, "utf8"), "start\n")
    await lease.release()
  })
})

/** Process groups of the commands that this process runs right now: what a lost connection would end. */
function ourShells(): readonly number[] {
  return readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return []
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
        .replace(/^.*\) /, "")
        .split(" ")
      return Number(fields[1]) === process.pid && fields[0] !== "Z" && fields[2] === pid ? [Number(pid)] : []
    } catch {
      return [] // it ended while we looked
    }
  })
}
