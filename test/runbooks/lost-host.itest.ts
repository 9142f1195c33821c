import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { redis, sql } from "../job/recreate-ground.ts"
import { runByHand } from "../support/by-hand.ts"
import { type LostHostGround, lostHostGround } from "./lost-host-ground.ts"

const slot = 35

describe("a lost host", () => {
  let ground: LostHostGround
  before(async () => {
    ground = await lostHostGround(slot)
  })
  after(() => ground[Symbol.asyncDispose]())

  it("comes back, its rows and keys from S3, by the commands of the runbook, in its order, and the app with it", async () => {
    const { place, page, act, loseHost, assertWhole } = ground
    const { code, log } = await act(["backup"])
    assert.equal(code, 0, log)
    sql(place, "insert into mark values (41)")
    await loseHost()

    const text = page.runAll()
    assert.match(text("ssh-keyscan"), /ssh-ed25519/)
    assert.match(text("backups"), /backup-\d{8}-\d{6}/)
    const ran = text("pipeline")
    assert.match(ran, /The host has no data of .*, but s3 has backups of it, the newest is backup-/)
    assert.match(ran, /restore: success: backup-\S+ from s3: \d+ rows, \d+ keys/)
    assert.match(ran, /Restoring backup-\S+ of 20\S+Z from s3/)
    assert.match(ran, /deploy-app: success/)
    assert.ok(ran.indexOf("restore: success") < ran.indexOf("deploy-app: success"))
    assert.equal(page.commands.length, 9)
    await assertWhole()
  })

  it("comes back from S3 by hand as well, without this suite", async () => {
    const { place, s3, prefix, env, act, assertWhole } = ground
    sql(place, "alter database healthcare set work_mem = '7MB'; create role by_hand_reader")
    const { outputs, code, log } = await act(["backup"])
    assert.equal(code, 0, log)
    rmSync(join(place.baseDir, "backups"), { recursive: true })
    sql(place, "alter database healthcare reset work_mem; drop role by_hand_reader; delete from mark")
    redis(place, "del", "mark", "other")
    const app = ["api", "worker"].flatMap((service) =>
      execFileSync("docker", [
        ...["ps", "--quiet", "--filter", `label=com.docker.compose.project=${place.project}`],
        ...["--filter", `label=com.docker.compose.service=${service}`],
      ])
        .toString()
        .trim()
        .split("\n"),
    )
    execFileSync("docker", ["stop", ...app])

    const cwd = mkdtempSync(join(tmpdir(), "infra-actions-by-hand-"))
    const GNUPGHOME = join(cwd, "gnupg")
    mkdirSync(GNUPGHOME, { mode: 0o700 })
    try {
      const id = String(outputs["backup-id"])
      const { endpoint: ENDPOINT, region: REGION, bucket: BUCKET } = s3
      const reach = { ...env, GNUPGHOME, ENDPOINT, REGION, BUCKET, PREFIX: prefix, ID: id }
      assert.match(runByHand(["From S3"], { env: reach, cwd }), new RegExp(`^${id}\\.json$`, "m"))
      runByHand(["Encrypted copies"], { env: reach, cwd })
      assert.equal(runByHand(["Is it whole?"], { env: reach, cwd }), "")
      const names = readdirSync(cwd)
      const file = (end: RegExp) => join(cwd, names.find((name) => end.test(name)) ?? assert.fail(names.join()))
      const database = file(/-healthcare\.dump$/)
      appendFileSync(file(/\.dump\.gpg$/), "x")
      assert.match(runByHand(["Is it whole?"], { env: reach, cwd }), /^\S+-healthcare\.dump\.gpg is damaged$/m)

      const CONTAINER = `${place.project}-postgres-1`
      const postgres = { CONTAINER, FILE: database, GLOBALS: file(/-globals\.sql$/), PROPERTIES: database }
      runByHand(["Roles", "A new database", ".dump", "In its place", "Owner, rights and settings"], {
        env: { ...postgres, DATABASE: "healthcare" },
      })
      runByHand(["Keys"], { env: { STORE: `${place.project}-dragonfly-1`, FILE: file(/\.rdb$/) } })
      execFileSync("docker", ["start", ...app])
      assert.equal(sql(place, "show work_mem"), "7MB")
      assert.equal(sql(place, "select count(*) from pg_roles where rolname = 'by_hand_reader'"), "1")
      const owner = "select datdba::regrole from pg_database where datname = 'healthcare'"
      assert.equal(sql(place, owner), "app")
    } finally {
      execFileSync("gpgconf", ["--homedir", GNUPGHOME, "--kill", "all"])
      rmSync(cwd, { recursive: true })
    }
    const { code: verified, log: said } = await act(["verify"])
    assert.equal(verified, 0, said)
    await assertWhole()
  })
})
