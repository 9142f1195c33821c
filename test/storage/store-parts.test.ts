import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { test } from "node:test"
import fc from "fast-check"
import { parseList } from "../../src/storage/local-store.ts"
import { printManifest, readManifest, sortManifests } from "../../src/storage/manifest-file.ts"
import { explainS3Error } from "../../src/storage/s3-error.ts"
import { fetchingProgress } from "../../src/storage/s3-fetch.ts"
import { bareEtag, compositeEtag, partSize, planParts } from "../../src/storage/s3-parts.ts"
import { readSent, sendingProgress } from "../../src/storage/s3-sent.ts"
import { assertSession, sessionEndOf, urlLife } from "../../src/storage/s3-session.ts"
import { keptOtherwise } from "../../src/storage/s3-storage-options.ts"
import { differences, parseVerified } from "../../src/storage/stored-files.ts"
import { keysOf, manifestOf } from "../support/manifests.ts"

test("parts cover a file once, are equal but for the last, and never too many or too small", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 * 2 ** 40 }), (bytes) => {
      const size = partSize(bytes)
      const parts = planParts(bytes)
      assert(parts.length <= 900 && size >= 16 * 2 ** 20 && size % 2 ** 20 === 0)
      let at = 0
      for (const { number, from, bytes: length } of parts) {
        assert.equal(from, at)
        assert.equal(from, (number - 1) * size)
        assert(length > 0 && (length === size || number === parts.length))
        at += length
      }
      assert.equal(at, bytes)
    }),
    { numRuns: 200 },
  )
})

test("the ETag of an object in parts is the MD5 of its parts' MD5s", () => {
  const md5 = (text: string) => createHash("md5").update(text).digest()
  const whole = createHash("md5")
    .update(Buffer.concat([md5("a"), md5("b")]))
    .digest("hex")
  assert.equal(compositeEtag([md5("a").toString("hex"), md5("b").toString("hex")]), `${whole}-2`)
  assert.equal(bareEtag('"abc-1"'), "abc-1")
  assert.equal(bareEtag("abc-1"), "abc-1")
})

test("a list that ends early is an error", () => {
  const line = (name: string, content: string | Buffer, bytes = Buffer.byteLength(content)) =>
    `${Buffer.from(name).toString("base64")} ${bytes} ${Buffer.from(content).toString("base64")}\n`
  const [a, b] = [line("backup-a.json", "{}"), line("backup-b.json", '"ü"\n')]
  assert.deepEqual(parseList(`${a}${b}end\n`), [
    { name: "backup-a.json", text: "{}" },
    { name: "backup-b.json", text: '"ü"\n' },
  ])
  for (const text of ["", "end", a, `${a}${b.slice(0, -1)}`, `${a}what\nend\n`, `${a}${b}`])
    assert.throws(() => parseList(text), /not whole/)
})

test("one file that is damaged, cut or cannot be read is told by its name and hides no other", () => {
  fc.assert(
    fc.property(fc.string(), fc.uint8Array({ minLength: 1 }), fc.nat(), (name, bytes, at) => {
      const damaged = Buffer.from([...bytes, 0xc3])
      const encoded = Buffer.from(`backup-${name}.json`).toString("base64")
      const cut = at % damaged.length
      const text = [
        `${encoded} ${damaged.length} ${damaged.toString("base64")}`,
        `${encoded} ${damaged.length} ${damaged.subarray(0, cut).toString("base64")}`,
        `${encoded} -1 `,
        `YmFja3VwLWEuanNvbg== 2 e30=`,
        "end",
        "",
      ].join("\n")
      const [, , , good, ...more] = parseList(text)
      assert.deepEqual([good, more], [{ name: "backup-a.json", text: "{}" }, []])
      const { unreadable } = sortManifests(parseList(text), { project: "p", environment: "e" })
      const [first = "", second, third, fourth] = unreadable
      assert.match(first, /backup-.*: damaged: it is no UTF-8 text$/s)
      assert.match(second ?? "", new RegExp(`: ${cut} of ${damaged.length} bytes could be read$`))
      assert.match(third ?? "", /: the file cannot be read$/)
      assert.match(fourth ?? "", /^backup-a\.json: /)
      assert.ok(!unreadable.join("").includes("\n"))
    }),
  )
})

test("what cannot be read is named with why", () => {
  assert("problem" in readManifest("{"))
  assert("problem" in readManifest("null"))
  const { manifests, unreadable } = sortManifests([{ name: "a.json", text: "[]" }], { project: "p", environment: "e" })
  assert.deepEqual(manifests, [])
  assert.match(unreadable.join(), /^a\.json: ./)
})

test("a copy of a manifest under another name is none: its removal would cost the files of both", () => {
  const artifact = { file: "redis/a.rdb", role: "keys", name: "a.rdb", bytes: 3, sha256: "a".repeat(64) } as const
  const manifest = manifestOf("backup-20260102-030405", { services: [keysOf("cache", [], [artifact])] })
  const text = printManifest(manifest)
  const files = [`metadata/${manifest.id}.json`, `${manifest.id}.orig.json`, "backup-20260102-030406.json"]
  const sorted = sortManifests(
    files.map((name) => ({ name, text })),
    manifest,
  )
  assert.deepEqual(sorted.manifests, [manifest])
  assert.deepEqual(
    sorted.unreadable,
    files.slice(1).map((name) => `${name}: it is of ${manifest.id}, which is not its name`),
  )
})

test("a file that was not looked at differs, like one that is missing", () => {
  const artifact = { file: "a/b c", role: "keys", name: "b", bytes: 3, sha256: "a".repeat(64) } as const
  const compare = (text: string) => differences([artifact], parseVerified(text)).length
  assert.equal(compare(`3 ${"a".repeat(64)} a/b c\n`), 0)
  assert.equal(compare(`4 ${"a".repeat(64)} a/b c\n`), 1)
  assert.equal(compare(`3 ${"b".repeat(64)} a/b c\n`), 1)
  assert.equal(compare("- - a/b c\n"), 1)
  assert.equal(compare(""), 1)
  assert.throws(() => compare("what is this\n"), /cannot be read/)
})

test("the answers to the parts are read, with the reason of a refusal", () => {
  const md5 = "0".repeat(32)
  const sum = "A".repeat(22)
  const text = `probe 400 BadDigest\nwhole 9\npart 1 ${sum}== 200 \npart 2 ${sum}== 403 AccessDenied\nend refused\n`
  assert.deepEqual(readSent(text), {
    probe: { code: "400", reason: "BadDigest" },
    bytes: 9,
    sha256: undefined,
    end: "refused",
    parts: [
      { number: 1, md5, code: "200", reason: "" },
      { number: 2, md5, code: "403", reason: "AccessDenied" },
    ],
  })
  const nothing = { probe: undefined, bytes: undefined, sha256: undefined, end: "", parts: [] }
  assert.deepEqual(readSent(""), nothing)
  const whole = "f".repeat(64)
  assert.deepEqual(readSent(`sum ${whole}\nend whole\n`), { ...nothing, sha256: whole, end: "whole" })
})

test("an upload's progress counts the parts that S3 took, and knows the whole when the host does", () => {
  const progress = sendingProgress(16, 16)
  const sum = `${"A".repeat(22)}==`
  assert.equal(progress.read("probe 400 BadDigest"), undefined)
  assert.deepEqual([progress.read(`part 3 ${sum} 200 `), progress.total], [32, undefined])
  assert.deepEqual([progress.read("whole 50"), progress.total], [undefined, 50])
  assert.equal(progress.read(`part 4 ${sum} 503 SlowDown`), undefined)
  assert.equal(progress.read(`part 4 ${sum} 200 `), 34)
})

test("a download's progress counts the ranges that came, and those that were there before not as speed", () => {
  const progress = fetchingProgress(40)
  assert.deepEqual([progress.read("from 16"), progress.from, progress.total], [undefined, 16, 40])
  assert.deepEqual([progress.read("range 16"), progress.read("renew"), progress.read("range 9")], [32, undefined, 40])
})

test("URLs die with the credentials' session, and none is made when it is about to end", () => {
  const now = Date.parse("2026-11-21T05:00:00Z")
  const inMinutes = (minutes: number) => new Date(now + minutes * 60_000)
  assert.equal(urlLife(undefined, now), 3600)
  assert.equal(urlLife(inMinutes(600), now), 3600)
  assert.equal(urlLife(inMinutes(30), now), 1500)
  for (const minutes of [5, 0, -1]) assert.throws(() => urlLife(inMinutes(minutes), now), { code: "s3-session-ended" })
  assertSession(inMinutes(1), now)
  assertSession(undefined, now)
  assert.throws(() => assertSession(inMinutes(0), now), { code: "s3-session-ended" })
  assert.equal(sessionEndOf("2026-11-21T05:00:00Z")?.getTime(), now)
  assert.equal(sessionEndOf(undefined), undefined)
  assert.throws(() => sessionEndOf("soon"), { code: "s3-session-end" })
})

test("an object that is not kept as was asked is told, and so is a store that says nothing", () => {
  const silent = { serverSide: undefined, kmsKey: undefined, storageClass: undefined }
  assert.equal(keptOtherwise(undefined, silent), undefined)
  assert.equal(keptOtherwise({ serverSide: "s3" }, { ...silent, serverSide: "AES256" }), undefined)
  assert.match(keptOtherwise({ serverSide: "s3" }, silent) ?? "", /nothing instead of AES256/)
  assert.match(keptOtherwise({ serverSide: "kms" }, { ...silent, serverSide: "AES256" }) ?? "", /instead of aws:kms/)
  const kms = { ...silent, serverSide: "aws:kms", kmsKey: "arn:aws:kms:eu-central-1:1:key/one" }
  assert.equal(keptOtherwise({ serverSide: "kms", kmsKey: "one" }, kms), undefined)
  assert.match(keptOtherwise({ serverSide: "kms", kmsKey: "two" }, kms) ?? "", /instead of two/)
  assert.equal(keptOtherwise({ storageClass: "STANDARD" }, silent), undefined)
  assert.match(keptOtherwise({ storageClass: "STANDARD_IA" }, silent) ?? "", /STANDARD instead of STANDARD_IA/)
})

test("every refusal of S3 names what to look at", () => {
  const place = { bucket: "b", endpoint: "https://s3.example", region: "r" }
  const code = (error: object) => explainS3Error(error, "listing", place).code
  const status = (httpStatusCode: number) => ({ $metadata: { httpStatusCode } })
  assert.equal(code({ name: "SignatureDoesNotMatch", ...status(403) }), "s3-credentials")
  assert.equal(code({ name: "AccessDenied", ...status(403) }), "s3-denied")
  assert.equal(code({ name: "ExpiredToken", ...status(400) }), "s3-session-ended")
  assert.equal(code({ name: "NoSuchBucket", ...status(404) }), "s3-bucket")
  assert.equal(code({ name: "PermanentRedirect", ...status(301) }), "s3-region")
  assert.equal(code({ name: "Error", code: "ECONNREFUSED" }), "s3-unreachable")
  assert.equal(code({ name: "TimeoutError" }), "s3-unreachable")
  assert.equal(code({ name: "InternalError", ...status(500) }), "s3-failed")
})
