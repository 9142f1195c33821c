import assert from "node:assert/strict"
import { execFileSync, spawnSync } from "node:child_process"
import { readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { ListMultipartUploadsCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3"
import { type S3Proxy, s3Proxy } from "../storage/s3-proxy.ts"
import { type DrillGround, drillGround } from "../support/drill-ground.ts"
import { makeOpenpgpKeys } from "../support/openpgp-keys.ts"
import { readIfThere, watchProcesses } from "../support/watch-processes.ts"
import { testbed } from "../testbed/testbed.ts"

const prefix = `t-backup-s3-${process.pid}/`
const keys = makeOpenpgpKeys()
const encryption = { "openpgp-key": keys.publicKey }

describe("backup with S3, of more than two parts", () => {
  let proxy: S3Proxy
  let ground: DrillGround
  let backups: string
  const { bucket, accessKeyId, secretAccessKey, ...s3 } = testbed().s3
  const client = new S3Client({ ...s3, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } })

  before(async () => {
    proxy = await s3Proxy(s3.endpoint)
    ground = await drillGround(6, { endpoint: proxy.endpoint, prefix, backup: { encryption } })
    backups = join(ground.stack.baseDir, "backups")
    // Text that hardly packs: about 40 MB in the dump.
    await ground.sql(`create table large as
      select n, (select string_agg(md5(random()::text || m || n), '') from generate_series(1, 16) m) as body
      from generate_series(1, 150000) n`)
  })
  after(async () => {
    await ground[Symbol.asyncDispose]()
    await proxy[Symbol.asyncDispose]()
    client.destroy()
  })

  async function unfinished(): Promise<readonly string[]> {
    const { Uploads: uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))
    return uploads.flatMap(({ Key: key = "" }) => (key.startsWith(prefix) ? [key] : []))
  }

  async function objects(): Promise<readonly string[]> {
    const found = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }))
    return (found.Contents ?? []).map(({ Key = "" }) => Key.slice(prefix.length)).sort()
  }

  /** Journal lines of one step, by their state. */
  function line(step: RegExp, state: string): number {
    const lines = readFileSync(join(ground.stack.baseDir, "state/production/journal.jsonl"), "utf8").split("\n")
    return lines.findLastIndex((one) => step.test(one) && one.includes(`"state":"${state}"`))
  }

  test("the encrypted copy goes up while the dump is written, is proven, and comes back", async () => {
    const run = await ground.act("backup")
    assert.equal(run.code, 0, run.log)
    assert.equal(run.outputs.status, "success")
    assert.doesNotMatch(run.log, /does not go to S3 while it is written/)
    assert(line(/follow-s3-1-1/, "begin") < line(/dump-postgres-healthcare/, "end"), run.log)
    assert(line(/follow-encrypt-1/, "end") > 0)
    assert.deepEqual(await unfinished(), [])
    const list = await ground.act("backups", { verify: "true" })
    assert.deepEqual([list.outputs.status, list.outputs.count], ["success", "1"], list.log)
    assert((await objects()).filter((key) => key.endsWith(".gpg")).length >= 3)
    assert.deepEqual(
      readdirSync(join(backups, "postgres")).filter((name) => /partial|gpg/.test(name)),
      [],
    )
  })

  test("a drill without the key, or with another, fails and disproves nothing; with it the copy is proven", async () => {
    const drill = (inputs: Record<string, string>) => ground.act("drill", { source: "s3", ...inputs })
    for (const inputs of [{}, { "dry-run": "true" }, { "backup-key": makeOpenpgpKeys().privateKey }]) {
      const run = await drill(inputs)
      assert.deepEqual(
        [run.code, run.outputs.reason, run.outputs["drill-status"]],
        [1, "backup-key", "not-run"],
        run.log,
      )
      assert.match(run.log, /backup-key/)
      assert.deepEqual(ground.records(), [])
    }
    const run = await drill({ "backup-key": keys.privateKey })
    assert.equal(run.code, 0, run.log)
    assert.deepEqual(
      ground.records().map(({ result, source }) => [result, source]),
      [["success", "s3"]],
    )
  })

  test("no key, URL or private key is seen on the host: in no process, file or log, while a backup goes up and comes back", async () => {
    const uid = Number(execFileSync("id", ["-u", testbed().ssh.user], { encoding: "utf8" }))
    const key = { "backup-key": keys.privateKey }
    const all = await watchProcesses(uid, backUpAndRestore())
    const secrets = [accessKeyId, secretAccessKey, "X-Amz-Signature", ...ownLines(keys.privateKey)]
    assert(secrets.length > 5)
    const told = all.seen.map(({ commandLine, environment }) => `${commandLine}\n${environment}`)
    assert(told.filter((one) => one.startsWith("curl\0")).length > 0, "no curl was seen at work")
    assert(told.filter((one) => one.startsWith("gpg\0")).length > 0, "no gpg was seen at work")
    const places = [...told, ...files(ground.stack.baseDir), ...files("/tmp", uid), ...all.result]
    for (const secret of secrets) {
      const found = places.find((one) => one.includes(secret))
      assert.equal(found?.slice(0, 200), undefined, `a secret stands in ${found?.slice(0, 200)}`)
    }
    assert(!told.some((one) => /\b9:[0-9A-F]{64}\b/.test(one)), "a session key stands in a process's arguments")

    /** The logs of both actions and of the containers. */
    async function backUpAndRestore(): Promise<readonly string[]> {
      const made = await ground.act("backup")
      assert.equal(made.code, 0, made.log)
      for (const folder of ["postgres", "dragonfly"]) rmSync(join(backups, folder), { recursive: true })
      const back = await ground.act("restore", { ...key, "backup-id": made.outputs["backup-id"] ?? "" })
      assert.equal(back.code, 0, back.log)
      assert.equal(back.outputs.source, "s3")
      // What the runner itself is told to hide is no leak: it shows it nowhere.
      const logs = [made, back].map(({ log }) => log.replaceAll(/^::add-mask::.*$/gm, ""))
      const names = (
        await ground.docker("ps", "--format", "{{.Names}}", "--filter", `name=${ground.stack.project}-`)
      ).split("\n")
      return [...logs, ...(await Promise.all(names.map((name) => ground.docker("logs", name))))]
    }
  })

  test("a run that is killed while parts go up has its upload taken back by the next one, by its id", async () => {
    const others = await unfinished()
    proxy.seen.length = 0
    const notes = join(ground.stack.baseDir, "state/production/uploads")
    // The second part hangs until the run is gone.
    proxy.fault = (method, url) => (method === "PUT" && /partNumber=2&/.test(url) ? "stall" : "pass")
    let kill = (_signal: NodeJS.Signals) => {}
    const onOutput = (_text: string, end: typeof kill) => {
      kill = end
    }
    const running = ground.act("backup", {}, { onOutput })
    await until(() => proxy.seen.some((one) => /^PUT .*healthcare.*partNumber=2&/.test(one)))
    kill("SIGKILL")
    const run = await running
    proxy.fault = () => "pass"
    assert.equal(run.signal, "SIGKILL", run.log)
    const left = (await unfinished()).filter((one) => !others.includes(one))
    assert.equal(left.length, 1)
    assert.match(
      readdirSync(notes)
        .map((name) => readFileSync(join(notes, name), "utf8"))
        .join(),
      /healthcare/,
    )
    const next = await ground.act("backup")
    assert.equal(next.code, 0, next.log)
    assert.match(next.log, /s3: took back the unfinished upload of postgres\/\S*healthcare\S*, which a killed run left/)
    assert.deepEqual(await unfinished(), others)
  })

  test("a dump that is killed while it goes up leaves nothing: no file, no object, no part", async () => {
    const before = await objects()
    const running = ground.act("backup")
    const folder = join(backups, "postgres")
    await until(() =>
      readdirSync(folder).some(
        (name) => /healthcare.*\.partial$/.test(name) && statSync(join(folder, name)).size > 17e6,
      ),
    )
    const work = join(ground.stack.baseDir, "state/production/work")
    const newest = readdirSync(work)
      .filter((name) => name.includes("dump-postgres-healthcare"))
      .map((name) => join(work, name, "pid"))
      .sort((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs)
      .at(-1)
    process.kill(-Number(readFileSync(newest ?? "", "utf8").split(" ")[0]), "SIGKILL")
    const run = await running
    assert.deepEqual([run.code, run.outputs.reason], [1, "step-cut"], run.log)
    assert.match(run.log, /follow-s3-1-1/)
    assert.deepEqual(await objects(), before)
    assert.deepEqual(await unfinished(), [])
    assert.deepEqual(
      readdirSync(folder).filter((name) => /partial|growing/.test(name)),
      [],
    )
  })
})

async function until(seen: () => boolean): Promise<void> {
  for (let tries = 0; !seen(); tries++) {
    assert(tries < 6000, "it did not come in a minute")
    await sleep(10)
  }
}

/** The lines of an armored private key that the public one does not have. */
function ownLines(privateKey: string): readonly string[] {
  return privateKey
    .split("\n")
    .filter((line) => line.length > 20 && !line.startsWith("-") && !keys.publicKey.includes(line))
}

/** The texts of all files below a folder; of one owner, when told. */
function files(folder: string, uid?: number): readonly string[] {
  const owned = uid === undefined ? [] : ["-uid", String(uid)]
  // Its code tells of files that went while it looked: other tests' own.
  const { stdout } = spawnSync("find", [folder, "-xdev", "-type", "f", ...owned, "-print0"], { encoding: "utf8" })
  return stdout
    .split("\0")
    .filter((path) => path !== "")
    .map((path) => `${path}\n${readIfThere(path)}`)
}
