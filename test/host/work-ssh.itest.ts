import assert from "node:assert/strict"
import { existsSync, readFileSync } from "node:fs"
import { after, describe, test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { claimLease } from "../../src/host/claim-lease.ts"
import { type Host, HostError } from "../../src/host/host.ts"
import { openWork } from "../../src/host/open-work.ts"
import { settleWork } from "../../src/host/settle-work.ts"
import { connectSsh } from "../../src/host/ssh.ts"
import { change, sh } from "../../src/shell/command.ts"
import { Secret } from "../../src/shell/secret.ts"
import { testbed } from "../testbed/testbed.ts"

const { ssh } = testbed()
const holder = { run: "77", attempt: "1", actor: "alice", purpose: "backup", url: "" }
const made: { readonly host: Host; readonly path: string }[] = []
after(async () => {
  for (const { host, path } of made) {
    await host.run(sh`rm -rf ${path}`)
    await host[Symbol.asyncDispose]()
  }
})

async function open(user: string, options: { readonly signal?: AbortSignal } = {}) {
  const log: string[] = []
  const host = await connectSsh({
    address: ssh.address,
    port: ssh.port,
    user,
    key: new Secret("ssh-key", readFileSync(ssh.keyPath, "utf8")),
    knownHosts: readFileSync(ssh.knownHostsPath, "utf8"),
  })
  const path = (await host.run(change`mktemp -d`)).stdout.trim()
  made.push({ host, path })
  const layout = { lock: `${path}/lock`, work: `${path}/work`, journal: `${path}/journal.jsonl` }
  const lease = await claimLease(host, { directory: layout.lock, holder })
  const work = openWork(host, { lease, layout, id: "run-1", log: (line) => log.push(line), ...options })
  return { host, path, layout, lease, work, log }
}

/** Kills the sshd that serves this connection: the first one above one of its own commands. */
async function killSession(host: Host): Promise<void> {
  const kill = change`p=$$; until read -r _ name _ parent _ <"/proc/$p/stat"; [ "$name" = "(sshd)" ]; do p=$parent; done; kill -KILL "$p"`
  await assert.rejects(host.run(kill), (error) => error instanceof HostError && error.fault === "lost")
}

describe("work over SSH", { concurrency: 3 }, () => {
  for (const user of ["deploy", "t-fish", "t-csh", "t-noisy"]) {
    test(`steps as ${user}`, async () => {
      const { work, lease } = await open(user)
      const result = await work.step("one", change`cat; echo "é \\"x\\" $((1 + 1))"`, { input: "in\n" })
      assert.equal(result.stdout, 'in\né "x" 2\n')
      await assert.rejects(work.step("two", change`echo why >&2; exit 5`), /exit code 5: why/)
      await lease.release()
    })
  }

  test("the session's sshd killed in the middle, twice: every byte once, one start", async () => {
    const { host, path, work, lease, log } = await open("deploy")
    const running = work.step(
      "long",
      change`echo start >>${path}/starts; i=0; while [ "$i" -lt 100 ]; do i=$((i + 1)); echo "line $i"; sleep 0.05; done; until [ -e ${path}/enough ]; do sleep 0.05; done`,
    )
    running.catch(() => {}) // awaited below
    while (!existsSync(`${path}/starts`)) await sleep(20)
    while (log.filter((line) => line.startsWith("lost sight")).length < 2) {
      await sleep(1500)
      await killSession(host)
    }
    await host.run(change`: >${path}/enough`)
    assert.equal((await running).stdout, Array.from({ length: 100 }, (_, i) => `line ${i + 1}\n`).join(""))
    assert.equal((await host.run(sh`cat ${path}/starts`)).stdout, "start\n")
    await lease.release()
  })

  test("the client gone for good: the work ends, its end is journalled, the next client settles it", async () => {
    const controller = new AbortController()
    const first = await open("deploy", { signal: controller.signal })
    const running = first.work.step("restore", change`sleep 6; echo restored >${first.path}/result`)
    running.catch(() => {}) // awaited below
    while (!existsSync(first.layout.journal)) await sleep(20)
    controller.abort()
    await assert.rejects(running, (error) => error instanceof HostError && error.fault === "aborted")
    await killSession(first.host)
    const second = await open("deploy")
    const settled = await settleWork(second.host, { layout: first.layout, poll: 200 })
    assert.deepEqual([settled.running, settled.cut], [[], []])
    assert.equal((await second.host.run(sh`cat ${first.path}/result`)).stdout, "restored\n")
    const journal = (await second.host.run(sh`cat ${first.layout.journal}`)).stdout
    assert.match(journal, /"state":"begin"[\s\S]*"state":"left"[\s\S]*"state":"end","code":0/)
  })
})
