import assert from "node:assert/strict"
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import { type DrillGround, drillGround } from "../support/drill-ground.ts"

describe("drill", () => {
  let ground: DrillGround
  let id: string
  let backups: string
  before(async () => {
    ground = await drillGround(9)
    backups = ground.backups
    id = await ground.backUp()
  })
  after(() => ground[Symbol.asyncDispose]())

  /** How the newest copy on the host is proven. */
  async function provenLocally(): Promise<string | undefined> {
    const { outputs } = await ground.act("backups")
    const all = JSON.parse(outputs.backups ?? "[]") as { copies: { store: string; proven: string }[] }[]
    return all.flatMap(({ copies }) => copies).find(({ store }) => store === "local")?.proven
  }

  for (const source of ["local", "s3"]) {
    test(`a good backup from ${source}: counted, measured, recorded; nothing stays and nothing live is touched`, async () => {
      const live = await ground.live()
      const run = await ground.act("drill", { source })
      assert.equal(run.code, 0, run.log)
      const { outputs } = run
      assert.deepEqual([outputs.status, outputs.reason, outputs["drill-status"]], ["success", "done", "success"])
      assert.equal(outputs.source, source)
      assert.equal(outputs["backup-id"], id)
      const rto = Number(outputs["rto-seconds"])
      assert.ok(rto > 1 && rto < run.duration / 1000, `RTO ${rto} s in a run of ${run.duration} ms`)
      assert.ok(Number(outputs["rpo-seconds"]) > 0 && Number(outputs["rpo-seconds"]) < 600)

      const record = ground.records().at(-1)
      assert.deepEqual(JSON.parse(outputs["drill-details"] ?? ""), [record])
      assert.deepEqual([record?.result, record?.backup, record?.source, record?.reason], ["success", id, source, ""])
      const counts = record?.services.map(({ service, tables, rows, keys }) => [service, tables, rows, keys])
      assert.deepEqual(counts, [
        ["postgres", 2, 800, 0],
        ["dragonfly", 0, 0, 101],
      ])
      const checks = record?.services.flatMap((one) => one.checks.map(({ name }) => name)) ?? []
      assert.ok(checks.includes("drill-postgres table public.patients"), checks.join())
      assert.ok(checks.includes("drill-postgres sample query 1"), checks.join())
      assert.match(run.summary, /### Drill of backup-.*: success; usable after/)
      assert.deepEqual(await ground.leftovers(), [])
      assert.equal(await ground.live(), live)
    })
  }

  test("while it runs: no network, no more memory than its limit, no label of the stack, not seen as part of it", async () => {
    let seen = ""
    let infra: { readonly outputs: Readonly<Record<string, string>>; readonly log: string } | undefined
    let volumes: readonly string[] = []
    let looking: Promise<void> | undefined
    const format =
      '{{.HostConfig.NetworkMode}} {{.HostConfig.Memory}} {{.HostConfig.CpuShares}} [{{index .Config.Labels "com.docker.compose.project"}}]'
    const look = async () => {
      const name = `infra-actions-drill-${ground.stack.project}-production-postgres`
      seen = await ground.docker("inspect", "--format", format, name)
      const mounts = "{{range .Mounts}}{{.Name}} {{end}}"
      volumes = (await ground.docker("inspect", "--format", mounts, name)).split(" ")
      infra = await ground.act("check-infra")
    }
    const run = await ground.act(
      "drill",
      {},
      {
        onOutput: (text) => {
          if (text.includes("restore-drill-postgres")) looking ??= look()
        },
      },
    )
    assert.equal(run.code, 0, run.log)
    await looking
    assert.equal(seen, `none ${2 * 2 ** 30} 128 []`)
    assert.equal(infra?.outputs["infra-status"], "healthy", infra?.log)
    assert.equal(volumes.length, 1)
    await assert.rejects(ground.docker("volume", "inspect", ...volumes), /no such volume/i)
  })

  test("a backup that is removed while it is drilled has not failed, and is not proven", async () => {
    const gone = await ground.backUp()
    const known = ground.records().length
    const run = await ground.act(
      "drill",
      { "backup-id": gone },
      {
        onOutput: (text) => {
          if (!text.includes("open-drill-postgres")) return
          rmSync(join(backups, "metadata", `${gone}.json`), { force: true })
          const dumps = readdirSync(join(backups, "postgres")).sort().slice(-2)
          for (const name of dumps) rmSync(join(backups, "postgres", name), { force: true })
        },
      },
    )
    assert.deepEqual([run.code, run.outputs.reason], [1, "backup-gone"], run.log)
    assert.equal(ground.records().length, known)
    assert.deepEqual(await ground.leftovers(), [])
  })

  test("what cannot be removed afterwards is told, and the copy is proven all the same", async () => {
    const fetched = join(backups, `.drill-${ground.stack.project}.production`)
    const onOutput = (text: string) => {
      if (!text.includes("stage-drill-dragonfly")) return
      // Of root's, so that the host's user cannot remove it.
      mkdirSync(fetched, { recursive: true })
      writeFileSync(join(fetched, "kept"), "")
    }
    const run = await ground.act("drill", {}, { onOutput })
    rmSync(fetched, { recursive: true, force: true })
    assert.deepEqual(
      [run.code, run.outputs.status, run.outputs.reason, run.outputs["drill-status"]],
      [0, "partial", "leftovers", "success"],
      run.log,
    )
    assert.match(run.summary, /Not removed.*\.drill-[\w-]+\.production/)
    assert.deepEqual([ground.records().at(-1)?.result, await provenLocally()], ["success", "restored"])
    assert.deepEqual(await ground.leftovers(), [])
  })

  test("a server that ends under the restore fails the step, and says nothing about the copy", async () => {
    const known = ground.records()
    let end: Promise<string> | undefined
    const name = `infra-actions-drill-${ground.stack.project}-production-postgres`
    const onOutput = (text: string) => {
      if (text.includes("restore-drill-postgres")) end ??= ground.docker("kill", name)
    }
    const run = await ground.act("drill", {}, { onOutput })
    await end
    assert.deepEqual(
      [run.code, run.outputs.status, run.outputs.reason, run.outputs["drill-status"]],
      [1, "failed", "drill-server", "not-run"],
      run.log,
    )
    assert.match(
      run.log,
      /local copy of backup-\S+ could not be drilled, which says nothing about it: .*ended \(exit code/,
    )
    assert.deepEqual(ground.records(), known)
    assert.equal(await provenLocally(), "restored")
    assert.deepEqual(await ground.leftovers(), [])
  })

  test("a deployment may hold the lock meanwhile, another drill may not run", async () => {
    const holder = await ground.act("lock", { purpose: "deploy" })
    assert.equal(holder.code, 0, holder.log)
    let second: ReturnType<DrillGround["act"]> | undefined
    const first = await ground.act(
      "drill",
      {},
      {
        onOutput: (text) => {
          if (text.includes("open-drill-postgres"))
            second ??= ground.act("drill", { "lock-wait": "0s" }, { env: { GITHUB_RUN_ID: "9" } })
        },
      },
    )
    assert.equal(first.code, 0, first.log)
    assert.equal((await second)?.outputs.reason, "lock-held")
  })

  test("a killed drill leaves its containers to the next one, a cancelled one takes them away", async () => {
    const start = (signal: NodeJS.Signals) =>
      ground.act(
        "drill",
        { source: "s3" },
        {
          onOutput: (text, kill) => {
            if (text.includes("restore-drill-postgres")) kill(signal)
          },
        },
      )
    const killed = await start("SIGKILL")
    assert.equal(killed.signal, "SIGKILL")
    assert.equal((await ground.leftovers()).length, 2)
    const next = await ground.act("drill", {}, { env: { GITHUB_RUN_ID: "4712" } })
    assert.equal(next.code, 0, next.log)
    assert.match(next.log, /An earlier drill left 1 throw-away container/)
    assert.deepEqual(await ground.leftovers(), [])
    const cancelled = await start("SIGINT")
    assert.equal(cancelled.outputs["drill-status"], "not-run")
    assert.deepEqual(await ground.leftovers(), [])
  })

  test("a dry run shows the containers and starts none", async () => {
    const known = ground.records().length
    const run = await ground.act("drill", { "dry-run": "true", source: "s3" })
    assert.equal(run.code, 0, run.log)
    assert.match(run.log, /docker run --detach --network none/)
    assert.deepEqual([run.outputs.reason, run.outputs["drill-status"]], ["dry-run", "not-run"])
    assert.equal(ground.records().length, known)
    assert.deepEqual(await ground.leftovers(), [])
  })
})
