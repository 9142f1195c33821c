import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import type { AppError } from "../../src/core/errors.ts"
import { type ClaimOptions, claimLease } from "../../src/host/claim-lease.ts"
import { localHost } from "../../src/host/local.ts"
import { noticing } from "../../src/host/noticing.ts"
import { patience, releaseLease } from "../../src/host/open-lease.ts"
import { openWork } from "../../src/host/open-work.ts"
import { forceReleaseLease, readClaim, readLease } from "../../src/host/read-lease.ts"
import { releaseOwnClaim, resumeLease } from "../../src/host/resume-lease.ts"
import { change, sh } from "../../src/shell/command.ts"

const host = localHost()
const root = mkdtempSync(join(tmpdir(), "infra-actions-"))
after(async () => {
  await host[Symbol.asyncDispose]()
  rmSync(root, { recursive: true, force: true })
})

const holder = { run: "77", attempt: "1", actor: "alice", purpose: "backup", url: "https://example.org/77" }
const other = { ...holder, run: "78" }
let count = 0

async function open(options: Partial<ClaimOptions> = {}) {
  count += 1
  const state = join(root, `state-${count}`)
  const layout = { state, lock: `${state}/lock`, work: `${state}/work`, journal: `${state}/journal.jsonl` }
  const at = { directory: layout.lock, holder }
  const lease = await claimLease(host, { ...at, ...options })
  return { layout, lease, at, own: { directory: layout.lock, claimant: holder, number: lease.number } }
}

describe("claiming", { concurrency: 4 }, () => {
  test("a held lock names holder, run and age, and what to do", async () => {
    const { lease, at } = await open()
    await assert.rejects(claimLease(host, { ...at, holder: other }), (error: AppError) => {
      assert.deepEqual([error.kind, error.code], ["refused", "lock-held"])
      assert.match(error.message, /backup by alice \(run 77, attempt 1, https:\/\/example.org\/77\), held for/)
      assert.match(error.hint ?? "", /cancel it\. If it is dead, .* in (10m [01]s|9m 5\ds) at the latest \(/)
      return true
    })
    await assert.rejects(claimLease(host, at), (error: AppError) => {
      assert.match(error.hint ?? "", /this run's own.*`lock-number` of that step.* If it is dead, .* at the latest/)
      return true
    })
    await lease.release()
  })

  test("the lock of a run that was killed says how long until it is taken for dead, and what to do", async () => {
    const { at, layout, lease } = await open()
    await lease.release()
    const renewed = Math.floor(Date.now() / 1000) - 100
    const record = `${renewed - 20} x 600 ${JSON.stringify(holder)}\n`
    writeFileSync(join(layout.lock, "gen.2"), record)
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8")
    writeFileSync(join(layout.lock, "beat.2"), `${renewed} ${boot}`)
    for (const claimant of [holder, other]) {
      const refused = claimLease(host, { ...at, holder: claimant })
      await assert.rejects(refused, ({ message, hint = "" }: AppError) => {
        assert.match(message, /held for 2m \ds, last renewed 1m 4\ds ago/)
        const [, left, when = ""] = /is free in (8m 1\ds|8m 2[01]s) at the latest \((\S+)\)/.exec(hint) ?? []
        assert.ok(left, hint)
        assert.ok(Math.abs(Date.parse(when) / 1000 - (renewed + 601)) <= 2, hint)
        assert.match(hint, /`lock-wait`.*`infra-actions lock --mode force-release`.*docs\/runbooks\/stuck-lock\.md/)
        return true
      })
    }
    // Of what the lock action does not know, as the lock of drills.
    await assert.rejects(claimLease(host, { ...at, forcible: false }), ({ hint = "" }: AppError) => {
      assert.match(hint, /at the latest/)
      assert.doesNotMatch(hint, /force/)
      return true
    })
  })

  test("a stale one is taken, and its holder is told; one renewed by progress is not", async () => {
    const { lease, at, layout } = await open({ ttl: 6000 })
    await sleep(9000)
    await assert.rejects(claimLease(host, { ...at, holder: other, ttl: 6000 }), { code: "lock-held" })
    assert.ok(((await readLease(host, layout.lock))?.age ?? 99_999) < 6000, "it renews itself")
    await lease.release()
    writeFileSync(
      join(layout.lock, "gen.2"),
      `${Math.floor(Date.now() / 1000) - 700} x 600 ${JSON.stringify(holder)}\n`,
    )
    const said: string[] = []
    const thief = await claimLease(host, { ...at, holder: other, log: (line) => said.push(line) })
    assert.equal(thief.number, 3)
    assert.match(said.join("\n"), /took over the lock, which was stale: backup by alice \(run 77.*last renewed 11m/)
    await thief.release()
  })

  test("without progress it is renewed for a while, then not, then again", { timeout: 60_000 }, async () => {
    const said: string[] = []
    const { lease, at, layout } = await open({ ttl: 2000, log: (line) => said.push(line) })
    const age = async () => (await readLease(host, layout.lock))?.age ?? assert.fail("nobody holds it")
    await sleep((patience + 0.5) * 2000)
    assert.match(said.join("\n"), /no progress for 6.0s: the lock is not renewed/)
    while ((await age()) < 3000) await sleep(200)
    await noticing(host, lease.progress).run(sh`true`)
    while ((await age()) >= 3000) await sleep(200)
    await lease.release()
    await claimLease(host, at).then((next) => next.release())
  })

  test("force takes it, and the old holder finds out", async () => {
    const { lease, layout, at } = await open()
    const taken = await claimLease(host, { ...at, holder: other, force: true })
    assert.equal(taken.number, lease.number + 1)
    await assert.rejects(lease.renew(), { code: "lease-lost" })
    await lease.release()
    assert.equal((await readLease(host, layout.lock))?.number, taken.number, "not released by a stranger")
    await taken.release()
  })

  test("waiting ends by abort, and so does a claim that was under way: nothing stays held", async () => {
    const { lease, at, layout } = await open()
    const controller = new AbortController()
    setTimeout(() => controller.abort(), 200)
    await assert.rejects(claimLease(host, { ...at, holder: other, wait: 60_000, signal: controller.signal }))
    await lease.release()
    const late = new AbortController()
    const claiming = claimLease(host, { ...at, signal: late.signal })
    late.abort()
    await assert.rejects(claiming, { name: "AbortError" })
    assert.equal((await readClaim(host, layout.lock))?.number, 2, "it was made")
    assert.equal(await readLease(host, layout.lock), undefined, "and given back")
  })
})

// By itself: what runs beside it in this process would not find its `ln` either.
test("a file system without hard links, or a full one, is named", async () => {
  const links = join(root, "no-links")
  mkdirSync(links)
  writeFileSync(join(links, "ln"), '#!/bin/sh\necho "ln: $2: Operation not permitted" >&2; exit 1\n')
  chmodSync(join(links, "ln"), 0o755)
  const before = process.env.PATH
  process.env.PATH = `${links}:${before}`
  try {
    await assert.rejects(open(), (error: AppError) => {
      assert.equal(error.code, "lock-unusable")
      assert.match(error.message, /lock cannot be kept in .*\/lock on the host: ln: .*not permitted/)
      assert.match(error.hint ?? "", /hard links.*host\.directory/)
      return true
    })
  } finally {
    process.env.PATH = before
  }
})

describe("handing on", { concurrency: 4 }, () => {
  test("to the next job of the run under a number of its own: who acted under the old one is out", async () => {
    const { lease, layout, at, own } = await open()
    await assert.rejects(resumeLease(host, { ...at, number: 9 }), { code: "lease-lost" })
    await assert.rejects(resumeLease(host, { ...at, holder: other, number: lease.number }), (error: AppError) => {
      assert.match(error.message, /it is held as number 1 by backup by alice/)
      return error.code === "lease-lost"
    })
    const second = await resumeLease(host, { ...at, number: lease.number })
    assert.deepEqual([second.number, second.ttl], [2, lease.ttl])
    const late = openWork(host, { lease, layout, id: "late" })
    await assert.rejects(late.step("harm", change`touch ${layout.state}/harm`), { code: "lease-lost" })
    assert.ok(!existsSync(`${layout.state}/harm`))
    const third = await resumeLease(host, { ...at, number: lease.number })
    assert.equal((await readLease(host, layout.lock))?.root, 1, "the run goes on to know it by its first number")
    await openWork(host, { lease: third, layout, id: "third" }).step("good", change`true`)
    assert.equal(await releaseLease(host, own), "not-held", "by its number alone")
    assert.equal(await releaseOwnClaim(host, own), "released")
    assert.equal(await releaseOwnClaim(host, own), "not-held")
  })

  test("to a later attempt, also after its release; never back, and not over another run", async () => {
    const { lease, at, own } = await open()
    await lease.release()
    await assert.rejects(resumeLease(host, { ...at, number: 1 }), { code: "lease-lost" }, "released in this attempt")
    const again = { ...holder, attempt: "2" }
    const second = await resumeLease(host, { ...at, holder: again, number: 1 })
    assert.equal(second.number, 2)
    await assert.rejects(resumeLease(host, { ...at, number: 1 }), { code: "lease-lost" }, "a job of the first attempt")
    assert.equal(await releaseOwnClaim(host, own), "not-held", "by the late post step of the first attempt")
    const third = await claimLease(host, { ...at, holder: { ...holder, attempt: "3" } })
    assert.equal(third.number, 3, "all jobs run again: an earlier attempt is taken over without waiting")
    await third.release()
    await claimLease(host, { ...at, holder: other }).then((theirs) => theirs.release())
    await assert.rejects(
      resumeLease(host, { ...at, holder: { ...holder, attempt: "4" }, number: 1 }),
      (error: AppError) => {
        assert.match(error.message, /was last held as number 4 by backup by alice \(run 78/)
        assert.match(error.hint ?? "", /Re-run all jobs/)
        return true
      },
    )
  })

  test("found by its mark when its number never arrived", async () => {
    const { layout } = await open({ mark: "m-1" })
    const own = { directory: layout.lock, claimant: holder }
    assert.equal(await releaseOwnClaim(host, { ...own, mark: "m-2" }), "not-held")
    assert.equal(await releaseOwnClaim(host, { ...own, mark: "m-1" }), "released")
  })

  test("two jobs of one run at once: one of them is stopped", async () => {
    const { at, lease, layout } = await open()
    const both = await Promise.allSettled([1, 2].map(() => resumeLease(host, { ...at, number: lease.number })))
    const works = both.flatMap((one, index) =>
      one.status === "fulfilled" ? [openWork(host, { lease: one.value, layout, id: `job-${index}` })] : [],
    )
    const steps = await Promise.allSettled(works.map((work) => work.step("mark", change`echo >>${layout.state}/marks`)))
    assert.equal(steps.filter(({ status }) => status === "fulfilled").length, 1)
    assert.equal(readFileSync(`${layout.state}/marks`, "utf8"), "\n")
    assert.equal(await forceReleaseLease(host, layout.lock, (await readLease(host, layout.lock))?.number ?? 0), true)
  })
})

test("the keeper alone is killed: the rest of its work ends with it before the work counts as cut", async () => {
  const { layout, lease } = await open()
  const running = openWork(host, { lease, layout, id: "orphan" }).step(
    "slow",
    change`echo $$ >${layout.state}/script; sleep 30`,
  )
  running.catch(() => {}) // awaited below
  while (!existsSync(`${layout.state}/script`)) await sleep(20)
  const [keeper] = readFileSync(`${layout.work}/orphan-1-slow/pid`, "utf8").split(" ")
  const script = readFileSync(`${layout.state}/script`, "utf8").trim()
  process.kill(Number(keeper), "SIGKILL")
  await assert.rejects(running, { code: "step-cut" })
  const state = execFileSync("sh", ["-c", `cut -d' ' -f3 /proc/${script}/stat 2>/dev/null || echo gone`])
    .toString()
    .trim()
  assert.match(state, /gone|Z/)
  await lease.release()
})
