import assert from "node:assert/strict"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { leaseRecord } from "../../src/core/lock-rules.ts"
import { claimLease } from "../../src/host/claim-lease.ts"
import { localHost } from "../../src/host/local.ts"
import { makeClaim } from "../../src/host/make-claim.ts"
import { openWork } from "../../src/host/open-work.ts"
import { settleWork } from "../../src/host/settle-work.ts"
import { change } from "../../src/shell/command.ts"

const rounds = Number(process.env.LEASE_PAIRS ?? 8)
const host = localHost()
const root = mkdtempSync(join(tmpdir(), "infra-actions-"))
const layout = { lock: `${root}/lock`, work: `${root}/work`, journal: `${root}/journal.jsonl` }
after(async () => {
  await host[Symbol.asyncDispose]()
  rmSync(root, { recursive: true, force: true })
})

const holder = (run: string) => ({ run, attempt: "1", actor: "test", purpose: "race", url: "" })

/** Waits for the lock and does one step in a folder that only one may have. */
async function pipeline(run: string): Promise<number> {
  const lease = await claimLease(host, { directory: layout.lock, holder: holder(run), wait: 300_000, poll: 100 })
  await settleWork(host, { layout })
  const work = openWork(host, { lease, layout, id: run })
  await work.step(
    "work",
    change`mkdir ${root}/inside && sleep 0.05 && echo ${run} >>${root}/done && rmdir ${root}/inside`,
  )
  await work.finish("done")
  await lease.release()
  return lease.number
}

/** Takes the lock and is gone. */
async function dies(run: string): Promise<void> {
  const claim = { directory: layout.lock, ttl: 4000, record: leaseRecord(holder(run), run), mark: run }
  assert.equal(typeof (await makeClaim(host, claim)), "number")
}

test(`${rounds} rounds of two pipelines, now and then after one that died with the lock`, {
  timeout: 1_800_000,
}, async () => {
  const numbers: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    if (round % 25 === 7) await dies(`dead-${round}`)
    numbers.push(...(await Promise.all([pipeline(`a-${round}`), pipeline(`b-${round}`)])))
  }
  assert.equal(new Set(numbers).size, 2 * rounds, "a number was given twice")
  const done = readFileSync(`${root}/done`, "utf8").trimEnd().split("\n")
  assert.deepEqual(
    done.toSorted(),
    Array.from({ length: rounds }, (_, n) => [`a-${n}`, `b-${n}`])
      .flat()
      .toSorted(),
  )
  const first = new Set(done.filter((_, n) => n % 2 === 0).map((run) => run[0]))
  assert.ok(rounds < 20 || first.size === 2, "always the same one was first: that is no race")
})
