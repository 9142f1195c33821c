import assert from "node:assert/strict"
import { execFileSync, spawn, spawnSync } from "node:child_process"
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { after, before, describe, it } from "node:test"
import type { ServiceBackup } from "../../../src/core/manifest.ts"
import type { Work } from "../../../src/host/work.ts"
import { postgresDriver } from "../../../src/service/postgres/index.ts"
import type { Command } from "../../../src/shell/command.ts"
import { directWork } from "../../support/direct-work.ts"
import { backupFiles, besides, type Ground, openGround, ownSessions, until } from "./postgres-ground.ts"

const driver = postgresDriver({ lockLimit: 20_000, besideFrom: 0 })
let stamps = 0

describe("dump and restore in a container beside the server", () => {
  let ground: Ground
  before(async () => {
    // The password is asked for over TCP; on the socket it is not.
    ground = await openGround("beside", { major: 17, config: { databases: ["app"] } })
    // Empty: of a table with pages the size is asked before a dump, which would wait for the lock there.
    ground.sql("app", "create table patients as select generate_series(1, 900) i; create table held (i int)")
  })
  after(async () => {
    await using _ = ground
    assert.doesNotMatch(ground.serverLog(), /server processes|terminated by signal|reinitializing/)
  })

  const backUp = (work: Work): Promise<ServiceBackup> => {
    const stamp = `2026-02-01-${String(++stamps).padStart(6, "0")}`
    const made = driver.backup?.(ground.service, ground.container(), { id: `backup-${stamps}`, stamp }, work)
    return made ?? assert.fail("no backup")
  }
  const restore = (backup: ServiceBackup, work: Work) =>
    driver.restore?.(ground.service, ground.container(), backup, work) ?? assert.fail("no restore")

  it("both run there, and it is gone afterwards", async () => {
    const said: string[] = []
    const backup = await backUp(listening(ground, said))
    const report = await restore(backup, listening(ground, said))
    assert.equal(report.rows, 900)
    assert.deepEqual(said, [])
    assert.deepEqual(besides(ground), [])
  })

  it("shows the password to nobody: no argument, no environment, no file of the host", async () => {
    const holder = ground.session("app", "begin; lock table held;")
    const made = backUp(directWork(ground.service.host))
    made.catch(() => undefined)
    await until(() => assert.equal(waiting(ground), "1"))
    const [id = ""] = besides(ground)
    const found = [
      execFileSync("docker", ["inspect", id], { encoding: "utf8" }),
      ...readdirSync("/proc")
        .filter((one) => /^\d+$/.test(one))
        .map((pid) => textOf(`/proc/${pid}/cmdline`)),
      ...readdirSync(tmpdir())
        .filter((one) => one.startsWith("tmp."))
        .flatMap((one) => filesIn(`${tmpdir()}/${one}`)),
    ]
    ground.docker("exec", id, "sh", "-c", "! grep -rls 'secret word' /tmp")
    assert.deepEqual(
      found.filter((text) => /secret word|\\0163\\0145\\0143\\0162/.test(text)),
      [],
    )
    holder.end()
    await made
  })

  for (const what of ["the script and all it started", "the script alone", "its docker run"] as const)
    it(`ends by itself, with its sessions, when somebody kills ${what}`, async () => {
      const holder = ground.session("app", "begin; lock table held;")
      const step = spawnedStep(ground)
      const made = backUp(step.work)
      const failed = assert.rejects(made)
      await until(() => assert.equal(waiting(ground), "1"))
      if (what === "its docker run") for (const pid of step.pidsOf("docker run --rm")) process.kill(pid, "SIGKILL")
      else process.kill(what === "the script alone" ? step.pid() : -step.pid(), "SIGKILL")
      await until(() => assert.deepEqual(besides(ground), []))
      await until(() => assert.equal(ownSessions(ground), "0"))
      await failed
      await until(() => assert.deepEqual(step.pidsOf(""), []))
      holder.end()
      for (const file of backupFiles(ground))
        if (file.endsWith(".partial")) rmSync(`${ground.backups}/postgres/${file}`)
      await backUp(directWork(ground.service.host))
    })

  it("removes what was left of others: one that never ran, one that still does, one of a server that is gone", async () => {
    const { id, imageId } = ground.container()
    const like = (server: string) => [
      "--label",
      `infra-actions.beside=${server}`,
      "--network",
      "none",
      "--entrypoint",
      "sleep",
    ]
    const left = [
      ground.docker("create", ...like(id), imageId, "60"),
      ground.docker("run", "--detach", ...like(id), imageId, "60"),
      ground.docker("run", "--detach", ...like("0".repeat(64)), imageId, "60"),
    ].map((one) => one.trim())
    await backUp(directWork(ground.service.host))
    const all = ground.docker("ps", "--all", "--quiet", "--no-trunc").split("\n")
    assert.deepEqual(
      all.filter((one) => left.includes(one)),
      [],
    )
  })

  const reasons: readonly (readonly [why: string, told: RegExp, make: (ground: Ground) => () => void])[] = [
    ["the server listens on its socket only", /Connection refused/, listeningOnSocketOnly],
    ["it asks for another password than the container's", /password authentication failed/, withOtherPassword],
    ["Docker refuses the container", /No such image/, withoutImage],
  ]
  for (const [why, told, make] of reasons)
    it(`when ${why}, it is done inside, which is said once`, async () => {
      const undo = make(ground)
      try {
        await until(() => ground.sql("app", "select 1"))
        const said: string[] = []
        const backup = await backUp(listening(ground, said))
        assert.match(said.join("\n"), told)
        assert.equal(said.length, 1)
        assert.equal((await restore(backup, listening(ground, said))).rows, 900)
        assert.equal(said.length, 2)
        assert.deepEqual(besides(ground), [])
      } finally {
        undo()
        await ground.ready()
      }
    })
})

/** What the files of a script's folder hold; its pipes would wait for a writer. */
function filesIn(folder: string): readonly string[] {
  const found = spawnSync("find", [folder, "-maxdepth", "1", "-type", "f", "-size", "-1024k"], { encoding: "utf8" })
  return found.stdout.split("\n").filter(Boolean).map(textOf)
}

function textOf(path: string): string {
  // A process or a file that is gone shows nothing.
  try {
    return readFileSync(path, "latin1")
  } catch {
    return ""
  }
}

function waiting(ground: Ground): string {
  return ground.sql(
    "app",
    "select count(*) from pg_stat_activity where application_name like 'infra-actions%' and wait_event_type = 'Lock' and query like 'LOCK TABLE%'",
  )
}

/** Collects what steps say for the log. */
function listening(ground: Ground, said: string[]): Work {
  const work = directWork(ground.service.host)
  return {
    ...work,
    async step(name, command, options = {}) {
      const result = await work.step(name, command, options)
      for (const line of result.stdout.split("\n")) {
        const sentence = options.progress?.say?.(line)
        if (sentence !== undefined) said.push(sentence)
      }
      return result
    },
  }
}

/** Runs each step in a process group that can be killed. */
function spawnedStep(ground: Ground) {
  let pid = 0
  const work: Work = {
    ...directWork(ground.service.host),
    async step(_name: string, command: Command) {
      const file = `${ground.backups}.step`
      writeFileSync(file, command.text)
      const child = spawn("sh", [file], { detached: true, stdio: ["ignore", "pipe", "ignore"] })
      pid = child.pid ?? 0
      const chunks: Buffer[] = []
      child.stdout.on("data", (chunk) => chunks.push(chunk))
      const code = await new Promise<number | null>((resolve) => child.once("exit", resolve))
      if (code !== 0) throw new Error(`ended with ${code}`)
      return { command, code, stdout: Buffer.concat(chunks).toString(), stderr: "", duration: 0 }
    },
  }
  return {
    work,
    pid: () => pid,
    pidsOf: (text: string) =>
      execFileSync("ps", ["-eo", "pid,pgid,args"], { encoding: "utf8" })
        .split("\n")
        .filter((line) => !line.includes("<defunct>"))
        .map((line) => line.trim().split(/\s+/))
        .filter(([, group, ...args]) => group === String(pid) && args.join(" ").startsWith(text))
        .map(([one]) => Number(one)),
  }
}

function listeningOnSocketOnly(ground: Ground): () => void {
  const set = (to: string) => {
    ground.sql("postgres", `alter system ${to}`)
    ground.docker("restart", "--signal", "SIGINT", ground.container().id)
  }
  set("set listen_addresses = ''")
  return () => set("reset listen_addresses")
}

function withOtherPassword(ground: Ground): () => void {
  ground.sql("postgres", "alter role clinic password 'other'")
  return () => ground.sql("postgres", "alter role clinic password 'secret word'")
}

function withoutImage(ground: Ground): () => void {
  const { container } = ground
  ground.container = () => ({ ...container(), imageId: `sha256:${"0".repeat(64)}` })
  return () => {
    ground.container = container
  }
}
