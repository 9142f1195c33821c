import assert from "node:assert/strict"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import { type PublishedGround, publishedGround } from "./ground.ts"
import { hostSnapshot, watchersGone } from "./host-snapshot.ts"

interface Mistake {
  readonly what: string
  readonly action: string
  readonly inputs: (ground: PublishedGround) => Readonly<Record<string, string>>
  readonly reason: string
  readonly status?: "refused" | "failed"
  /** Each must be in what the step says: the input, and what to do. */
  readonly says: readonly RegExp[]
  /** The lock is taken before the mistake can be seen; what stays of it is its record. */
  readonly locks?: boolean
}

const mistakes: readonly Mistake[] = [
  {
    what: "no host key is given",
    action: "backup",
    inputs: () => ({ "ssh-known-hosts": "" }),
    reason: "known-hosts-missing",
    says: [/`ssh-known-hosts` is empty/, /Run `ssh-keyscan -p 2222 127\.0\.0\.1`/],
  },
  {
    what: "the host has another key",
    action: "backup",
    inputs: ({ bed }) => ({ "ssh-known-hosts": readFileSync(bed.ssh.wrongKnownHostsPath, "utf8") }),
    reason: "host-host-key",
    says: [/expected SHA256:\S+, presented SHA256:/, /update `ssh-known-hosts`/],
  },
  {
    what: "only other hosts' keys are given",
    action: "recreate",
    inputs: ({ bed }) => {
      const [, ...key] = (readFileSync(bed.ssh.knownHostsPath, "utf8").split("\n")[0] ?? "").split(" ")
      return { "ssh-known-hosts": `example.org ${key.join(" ")}` }
    },
    reason: "known-hosts-unknown",
    says: [/`ssh-known-hosts` has no line for \[127\.0\.0\.1\]:2222/, /ssh-keyscan/],
  },
  {
    what: "the host does not know the ssh key",
    action: "deploy-app",
    inputs: ({ bed }) => ({ "ssh-key": readFileSync(bed.ssh.refusedKeyPath, "utf8") }),
    reason: "host-authentication",
    says: [/does not accept `ssh-key` \(SHA256:/, /authorized_keys/],
  },
  {
    what: "the ssh key is missing",
    action: "debug",
    inputs: () => ({ "ssh-key": "" }),
    reason: "ssh-key-missing",
    says: [/ssh-key/],
  },
  {
    what: "the ssh key is no key",
    action: "restore",
    inputs: () => ({ "ssh-key": "not a key" }),
    reason: "ssh-key-invalid",
    says: [/`ssh-key`.*not a private key/],
  },
  {
    what: "infra.yml is not YAML",
    action: "pipeline",
    inputs: () => ({ config: "broken.yml" }),
    reason: "config-invalid",
    says: [/broken\.yml:3/],
  },
  {
    what: "infra.yml has an unknown key",
    action: "backup",
    inputs: () => ({ config: "misspelt.yml" }),
    reason: "config-invalid",
    says: [/misspelt\.yml:\d+/, /adress/, /did you mean.*address/i],
  },
  {
    what: "there is no infra.yml",
    action: "recreate",
    inputs: () => ({ config: "absent.yml" }),
    reason: "config-missing",
    says: [/input `config`: .*absent\.yml cannot be read/, /actions\/checkout/],
  },
  {
    what: "an input has no such name",
    action: "restore",
    inputs: () => ({ "backup-idd": "latest" }),
    reason: "input-unknown",
    says: [/`restore` has no input `backup-idd`; did you mean `backup-id`\?/],
  },
  {
    what: "an input has no such value",
    action: "pipeline",
    inputs: () => ({ force: "resto" }),
    reason: "input-invalid",
    says: [/input `force`/, /resto/],
  },
  {
    what: "a key of S3 is missing",
    action: "backup",
    inputs: () => ({ "s3-secret-access-key": "" }),
    reason: "missing-secret",
    says: [/s3-secret-access-key is missing, and backup\.s3 is on/, /Pass s3-secret-access-key from a secret/],
  },
  {
    what: "S3 denies the backup",
    action: "backup",
    inputs: () => ({ "s3-secret-access-key": "a-wrong-secret-of-some-length" }),
    reason: "s3-credentials",
    says: [/SignatureDoesNotMatch/, /Check the inputs s3-access-key-id, s3-secret-access-key/],
    locks: true,
  },
  {
    what: "S3 denies the restore",
    action: "restore",
    inputs: () => ({ "s3-access-key-id": "nobody", source: "s3" }),
    reason: "s3-credentials",
    says: [/does not accept the credentials: (InvalidAccessKeyId|XAdminUserNotFound)/, /s3-access-key-id/],
    locks: true,
  },
  {
    what: "the backup to restore is unknown",
    action: "restore",
    inputs: () => ({ "backup-id": "backup-20200101-000000" }),
    reason: "unknown-backup",
    says: [/backup-id: there is no backup backup-20200101-000000/, /There are: backup-\d+/],
    locks: true,
  },
  {
    what: "nothing listens at the host's port",
    action: "backup",
    inputs: ({ bed }) => ({
      config: "unreachable.yml",
      "ssh-known-hosts": "",
      "ssh-fingerprint": bed.ssh.fingerprint,
    }),
    reason: "host-unreachable",
    says: [/cannot connect to .*127\.0\.0\.1.*nothing listens on port 1\b/, /Check the SSH port/],
  },
  {
    what: "a service is unknown",
    action: "backup",
    inputs: () => ({ services: "postgress" }),
    reason: "unknown-service",
    says: [/services: .*has no service postgress/, /It has: .*postgres/],
    locks: true,
  },
  {
    what: "a service of the images is unknown",
    action: "deploy-app",
    inputs: () => ({ images: "web=registry.example.org/web:1" }),
    reason: "unknown-service",
    says: [/images: the app has no service web/, /api/],
    locks: true,
  },
  {
    what: "recreate has no backup",
    action: "recreate",
    inputs: () => ({}),
    reason: "no-backup",
    status: "refused",
    says: [/backup-id is missing, and (postgres|dragonfly) has data/, /Run backup first/],
    locks: true,
  },
  {
    what: "recreate has another run's backup",
    action: "recreate",
    inputs: () => ({ "backup-id": "foreign" }),
    reason: "backup-not-proven",
    status: "refused",
    says: [/was made by run 1001, not by this one/, /Run backup in this run/],
    locks: true,
  },
  {
    what: "recreate has an unknown backup",
    action: "recreate",
    inputs: () => ({ "backup-id": "backup-20200101-000000" }),
    reason: "backup-not-proven",
    status: "refused",
    says: [/there is no proven backup backup-20200101-000000/, /Run backup in this run/],
    locks: true,
  },
]

/** What the lock and the runs that held it leave: their record. */
const record = ["state/production/lock", "state/production/work", "state/production/journal.jsonl"]

describe("a mistake is told with its input and its remedy, and changes nothing on the host", () => {
  let ground: PublishedGround
  let foreign: string
  before(async () => {
    ground = await publishedGround(12)
    const infra = readFileSync(join(ground.consumer.directory, "infra.yml"), "utf8")
    const variants = {
      "broken.yml": "project: shop\nhost: { address: 127.0.0.1\nservices: [",
      "misspelt.yml": infra.replace("address:", "adress:"),
      "unreachable.yml": infra.replace(/port: \d+/, "port: 1"),
    }
    for (const [name, text] of Object.entries(variants)) writeFileSync(join(ground.consumer.directory, name), text)
    const backup = await ground.step("backup", {}, { env: { GITHUB_RUN_ID: "1001" } })
    assert.equal(backup.code, 0, backup.log)
    foreign = backup.outputs["backup-id"] ?? ""
    await watchersGone(ground.bed.stack)
  })
  after(() => ground?.[Symbol.asyncDispose]())

  for (const { what, action, inputs, reason, status = "failed", says, locks = false } of mistakes)
    test(`${what} (${action})`, async () => {
      const given = Object.entries(inputs(ground)).map(([name, value]) => [name, value === "foreign" ? foreign : value])
      const except = locks ? { except: record } : {}
      const earlier = hostSnapshot(ground.bed.stack, except)
      const run = await ground.step(action, Object.fromEntries(given))
      assert.equal(run.code, 1, run.log)
      assert.deepEqual([run.outputs.status, run.outputs.reason], [status, reason], run.log)
      for (const one of says) assert.match(run.log, one)
      assert.deepEqual(hostSnapshot(ground.bed.stack, except), earlier)
      if (locks) assert.equal(await holder(), "")
    })

  test("somebody else holds the lock", async () => {
    const night = { env: { GITHUB_RUN_ID: "2002" } }
    const other = await ground.step("lock", { keep: "true", purpose: "night shift" }, night)
    const earlier = hostSnapshot(ground.bed.stack)
    for (const action of ["backup", "restore", "recreate", "debug", "deploy-app", "pipeline"]) {
      const run = await ground.step(action, { "lock-wait": "0s" })
      assert.equal(run.code, 1, run.log)
      assert.deepEqual([run.outputs.status, run.outputs.reason], ["refused", "lock-held"])
      assert.match(run.log, /night shift by test \(run 2002, attempt 1, https:/)
    }
    assert.deepEqual(hostSnapshot(ground.bed.stack), earlier)
    assert.match(await holder(), /run 2002/)
    await ground.step("lock", { mode: "release", "lock-number": other.outputs["lock-number"] ?? "" }, night)
    assert.equal(await holder(), "")
  })

  async function holder(): Promise<string> {
    const { outputs } = await ground.step("lock", { mode: "status" })
    return String(outputs.holder)
  }
})
