import assert from "node:assert/strict"
import { describe, test } from "node:test"
import type { AppError } from "../../src/core/errors.ts"
import { type ParseConfigOptions, parseConfig } from "../../src/core/parse-config.ts"

const minimal = "project: app\nhost: {address: db.example.org}\n"

describe("parseConfig", () => {
  test("needs only a project and the host's address", () => {
    const config = parseConfig(minimal, { file: "infra.yml" })
    assert.equal(config.environment, "production")
    assert.equal(config.host.port, 22)
    assert.deepEqual(config.compose.files, ["docker-compose.prod.yml"])
    assert.deepEqual(config.backup.retention, { last: 0, daily: 7, weekly: 4, monthly: 12 })
    assert.equal(config.backup.s3, undefined)
    assert.equal(config.lock.stale, 600_000)
  })

  test("takes a section or service with nothing below it for one without settings", () => {
    const config = parse(`${minimal}lock:\nservices:\n  postgres:\n`)
    assert.equal(config.lock.wait, 0)
    assert.equal(config.services.postgres?.timeout, 10_000)
  })

  test("names line, column and path of every problem at once", () => {
    const text = `project: My App
host:
  adress: db.example.org
backup:
  s3:
    bucket: ab
    endpoint: nowhere
  retention:
    daily: many
  before-migrate: maybe
lock:
  wait: 10q
  stale: 1s
services:
  postgres:
    kind: postgresql
thresholds: {disk-free: 2, restarts: -1}
compose: {files: []}
`
    assert.deepEqual(problems(text), [
      "infra.yml:1:1 project: is malformed: use lower-case letters, digits, - and _, beginning with a letter or digit",
      "infra.yml:2:1 host.address: is missing (expected text)",
      "infra.yml:3:3 host.adress: unknown key, did you mean address? (expected one of address, user, port, jump, directory)",
      "infra.yml:6:5 backup.s3.bucket: is too small (expected at least 3 characters)",
      "infra.yml:7:5 backup.s3.endpoint: is no URL (expected one such as https://example.org/health)",
      "infra.yml:9:5 backup.retention.daily: is of the wrong type (expected a number)",
      "infra.yml:10:3 backup.before-migrate: is of the wrong type (expected true or false)",
      "infra.yml:12:3 lock.wait: is not valid: use a duration such as 90s, 10m or 1h30m",
      "infra.yml:13:3 lock.stale: is not valid: at least 5s, for a holder renews it only now and then",
      "infra.yml:16:5 services.postgres.kind: is not one of the known values (expected one of postgres, dragonfly, redis, valkey, openvidu, coturn, http, container)",
      "infra.yml:17:14 thresholds.disk-free: is too big (expected at most 1)",
      "infra.yml:17:28 thresholds.restarts: is too small (expected at least 0)",
      "infra.yml:18:11 compose.files: is too small (expected at least 1 entries)",
    ])
  })

  test("says what is wrong with the YAML itself", () => {
    assert.deepEqual(problems("project: a\nproject: b\n"), ["infra.yml:2:1 Map keys must be unique"])
    assert.match(problems("project: [a\n")[0] ?? "", /^infra\.yml:\d+:\d+ /)
    for (const text of ["", "- a\n", "just text\n"]) {
      assert.match(problems(text)[0] ?? "", /^infra\.yml:1:1 is no configuration/)
    }
    const bomb = `a: &a [x]\n${[..."bcdefghi"].map((key, i) => `${key}: &${key} [${`*${"abcdefghi"[i]},`.repeat(9)}]`).join("\n")}\n`
    assert.match(problems(bomb)[0] ?? "", /alias/)
  })

  test("refuses secrets, and no message holds a value", () => {
    const text = `${minimal}backup:\n  s3:\n    bucket: backups\n    secret-access-key: hunter2\n    accessKey: hunter2\n    endpoint: hunter2\nssh-key: hunter2\npassword: hunter2\n`
    const found = problems(text)
    const refused = found.filter((line) => line.includes("pass it as an input")).map((line) => line.split(" ")[1])
    assert.deepEqual(refused, ["backup.s3.secret-access-key:", "backup.s3.accessKey:", "ssh-key:", "password:"])
    assert.doesNotMatch(found.join(), /hunter2/)
    assert.deepEqual(problems(`${minimal}services: {token-service: {}, secret-store: {}}\n`), [])
    assert.match(
      problems(`${minimal}backup: {s3: {bucket: abc, endpoint: "https://k:hunter2@s3.example.org"}}\n`).join(),
      /user name/,
    )
  })

  test("merges an environment's overrides over the sections", () => {
    const text = `${minimal}backup: {retention: {daily: 3, weekly: 2}, s3: {bucket: backups}}
compose: {files: [a.yml, b.yml]}
environments:
  production:
  dev:
    host: {port: 2222}
    compose: {files: [dev.yml]}
    backup: {s3: {required: false}, retention: {daily: 1}}
`
    const dev = parse(text, { environment: "dev" })
    assert.equal(dev.host.address, "db.example.org")
    assert.equal(dev.host.port, 2222)
    assert.deepEqual(dev.compose.files, ["dev.yml"])
    assert.deepEqual(dev.backup.retention, { last: 0, daily: 1, weekly: 2, monthly: 12 })
    assert.equal(dev.backup.s3?.required, false)
    assert.equal(dev.backup.s3?.bucket, "backups")
    assert.equal(parse(text).backup.s3?.required, true)
    assert.ok(!("environments" in dev))
  })

  test("a key for the store's encryption needs that encryption", () => {
    const text = `${minimal}backup: {s3: {bucket: backups, kms-key-id: one, server-side-encryption: s3}}\n`
    const [problem = "", ...more] = problems(text)
    assert.match(problem, /backup\.s3\.kms-key-id: .*server-side-encryption: kms/)
    assert.deepEqual(more, [])
  })

  test("checks every environment, and points into the override that is wrong", () => {
    const text = `${minimal}environments:
  production:
    backup:
      s3:
        bukket: backups
  dev:
    project: other
    lok: {}
    host: {port: 70000}
  Bad Name: {}
  prod-2: nothing
`
    assert.deepEqual(problems(text), [
      "infra.yml:6:7 environments.production.backup.s3.bucket: is missing (expected text)",
      "infra.yml:7:9 environments.production.backup.s3.bukket: unknown key, did you mean bucket? (expected one of enabled, required, endpoint, region, bucket, prefix, force-path-style, server-side-encryption, kms-key-id, storage-class, read-back, immutable-days, immutable-mode)",
      "infra.yml:9:5 environments.dev.project: cannot differ between environments (expected one of host, compose, paths, services, app, backup, lock, restore, thresholds)",
      "infra.yml:10:5 environments.dev.lok: unknown key, did you mean lock? (expected one of host, compose, paths, services, app, backup, lock, restore, thresholds)",
      "infra.yml:11:12 environments.dev.host.port: is too big (expected at most 65535)",
      "infra.yml:12:3 environments.Bad Name: is no name (expected lower-case letters, digits, - and _)",
      "infra.yml:13:3 environments.prod-2: is of the wrong type (expected sections such as host and backup)",
    ])
  })

  test("lets each environment name its own host", () => {
    const text =
      "project: app\nenvironments:\n  dev: {host: {address: dev.example.org}}\n  production: {host: {address: example.org}}\n"
    assert.equal(parse(text, { environment: "dev" }).host.address, "dev.example.org")
    assert.deepEqual(problems(text.replace("{host: {address: dev.example.org}}", "{}")), [
      "infra.yml:1:1 host: is missing (expected a section with keys of its own)",
    ])
  })

  test("names the known environments when asked for another", () => {
    const text = `${minimal}environments: {dev: {}, production: {}}\n`
    assert.throws(() => parse(text, { environment: "prodution" }), {
      code: "environment-unknown",
      kind: "input",
      message: /"prodution".*dev, production/,
      hint: /production/,
    })
    assert.equal(parse(minimal, { environment: "anything" }).environment, "anything")
  })

  test("refuses an environment name that is no name, since it becomes a directory", () => {
    assert.throws(() => parse(minimal, { environment: "../x" }), { code: "environment-unknown" })
  })

  test("understands anchors and merge keys", () => {
    const text = `${minimal}services:\n  a: &a {timeout: 5s}\n  b: {<<: *a, kind: http}\n`
    assert.equal(parse(text).services.b?.timeout, 5000)
  })
})

describe("the S3 variables", () => {
  const variables = {
    S3_ENABLED: "true",
    S3_PROVIDER: "contabo",
    S3_ENDPOINT: "https://eu2.contabostorage.com",
    S3_REGION: "eu-central-1",
    S3_BUCKET: "healthcaredata",
    S3_FORCE_PATH_STYLE: "true",
  }

  test("fill backup.s3 when the file has none", () => {
    const s3 = parse(minimal, { variables }).backup.s3
    assert.equal(s3?.bucket, "healthcaredata")
    assert.equal(s3?.endpoint, "https://eu2.contabostorage.com")
    assert.equal(s3?.region, "eu-central-1")
    assert.equal(s3?.["force-path-style"], true)
    assert.equal(s3?.required, true)
  })

  test("give way to the file, and count only when switched on", () => {
    const text = `${minimal}backup: {s3: {bucket: of-the-file}}\n`
    assert.equal(parse(text, { variables }).backup.s3?.bucket, "of-the-file")
    assert.equal(parse(minimal, { variables: { ...variables, S3_ENABLED: "false" } }).backup.s3, undefined)
    assert.equal(parse(minimal, { variables: { ...variables, S3_ENABLED: "" } }).backup.s3, undefined)
  })

  test("are named when they are wrong", () => {
    const wrong = { ...variables, S3_BUCKET: "", S3_ENDPOINT: "", S3_FORCE_PATH_STYLE: "sure" }
    assert.deepEqual(problems(minimal, { variables: wrong }), [
      "S3_BUCKET is missing (expected text)",
      "S3_ENDPOINT is missing, and S3_PROVIDER is not aws (expected the store's URL)",
      "S3_FORCE_PATH_STYLE is neither yes nor no (expected true or false)",
    ])
    assert.match(problems(minimal, { variables: { S3_ENABLED: "perhaps" } }).join(), /^S3_ENABLED is neither/)
    const unclear = { variables: { S3_ENABLED: "perhaps" } }
    assert.throws(() => parse(minimal, unclear), { hint: /^Set the variables/ })
    assert.throws(() => parse(`${minimal}lok: {}\n`, unclear), { hint: /^Correct infra\.yml.* Set the variables/ })
    assert.match(
      problems(minimal, { variables: { ...variables, S3_ENDPOINT: "nowhere" } }).join(),
      /^S3_ENDPOINT is no URL/,
    )
  })
})

function parse(text: string, options: Omit<ParseConfigOptions, "file"> = {}) {
  return parseConfig(text, { file: "infra.yml", ...options })
}

/** The lines of a `config-invalid` error, without its headline. */
function problems(text: string, options: Omit<ParseConfigOptions, "file"> = {}): readonly string[] {
  try {
    parse(text, options)
    return []
  } catch (error) {
    const { code, kind, message, hint } = error as AppError
    assert.deepEqual([code, kind], ["config-invalid", "input"], message)
    assert.ok(hint)
    return message.split("\n").filter((line) => !line.endsWith("problems in the configuration:"))
  }
}
