import assert from "node:assert/strict"
import { createHash, createHmac, randomBytes } from "node:crypto"
import { test } from "node:test"
import { AppError } from "../../src/core/errors.ts"
import { keyFingerprint, knownKeys } from "../../src/host/known-hosts.ts"

function blob(type = "ssh-ed25519"): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(type.length)
  return Buffer.concat([length, Buffer.from(type), randomBytes(36)])
}

function hashed(host: string): string {
  const salt = randomBytes(20)
  return `|1|${salt.toString("base64")}|${createHmac("sha1", salt).update(host).digest("base64")}`
}

const [one, two] = [blob(), blob()]
const line = (hosts: string, key = one, type = "ssh-ed25519") => `${hosts} ${type} ${key.toString("base64")}`

function inputError(code: string, message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof AppError, String(error))
    assert.deepEqual([error.kind, error.code], ["input", code])
    assert.match(error.message, message)
    assert.ok(error.hint)
    return true
  }
}

const forms: readonly [name: string, text: string, address: string, port: number, known: boolean][] = [
  ["plain", line("example.org"), "example.org", 22, true],
  ["case of the address", line("Example.org"), "EXAMPLE.org", 22, true],
  ["another host", line("example.org"), "example.com", 22, false],
  ["no part of a name", line("example.org"), "an.example.org", 22, false],
  ["dots are dots", line("a.b"), "axb", 22, false],
  ["several names", line("a,example.org,203.0.113.7"), "203.0.113.7", 22, true],
  ["port", line("[example.org]:2222"), "example.org", 2222, true],
  ["another port", line("[example.org]:2222"), "example.org", 2223, false],
  ["a port is not the default", line("[example.org]:2222"), "example.org", 22, false],
  ["plain name for any port", line("example.org"), "example.org", 2222, true],
  ["star", line("*.example.org"), "a.b.example.org", 22, true],
  ["question mark", line("host?"), "host1", 22, true],
  ["question mark is one", line("host?"), "host12", 22, false],
  ["negated", line("*.example.org,!bad.example.org"), "bad.example.org", 22, false],
  ["negation of another", line("*.example.org,!bad.example.org"), "good.example.org", 22, true],
  ["only a negation", line("!bad.example.org"), "good.example.org", 22, false],
  ["hashed", line(hashed("example.org")), "example.org", 22, true],
  ["hashed with port", line(hashed("[example.org]:2222")), "example.org", 2222, true],
  ["hashed other", line(hashed("example.com")), "example.org", 22, false],
  ["IPv6", line("[2001:db8::7]:2222"), "2001:db8::7", 2222, true],
  [
    "comments, blank lines, CRLF",
    `# scanned\r\n\r\n  ${line("example.org")} comment of words\r\n`,
    "example.org",
    22,
    true,
  ],
]
for (const [name, text, address, port, known] of forms) {
  test(`known_hosts: ${name}`, () => {
    if (!known)
      return assert.throws(() => knownKeys(text, address, port), inputError("known-hosts-unknown", /has no line for/))
    const keys = knownKeys(text, address, port)
    assert.deepEqual([keys.accepts(one), keys.accepts(two), keys.accepts(Buffer.alloc(0))], [true, false, false])
    assert.deepEqual(keys.accepted, [keyFingerprint(one)])
  })
}

test("several keys of one host are all accepted, their types in the order of the file", () => {
  const rsa = blob("ssh-rsa")
  const keys = knownKeys([line("h", rsa, "ssh-rsa"), line("h"), line("other", two)].join("\n"), "h", 22)
  assert.deepEqual(keys.types, ["ssh-rsa", "ssh-ed25519"])
  assert.deepEqual([keys.accepts(rsa), keys.accepts(one), keys.accepts(two)], [true, true, false])
})

test("a line for the port replaces those for the plain name", () => {
  const keys = knownKeys(`${line("h")}\n${line("[h]:2222", two)}`, "h", 2222)
  assert.deepEqual([keys.accepts(one), keys.accepts(two)], [false, true])
})

test("a revoked key is refused wherever its line stands, and whatever else accepts it", () => {
  for (const text of [
    `@revoked ${line("*")}\n${line("h")}\n${line("h", two)}`,
    `${line("h", two)}\n${line("h")}\n@revoked ${line("h")}`,
  ]) {
    const keys = knownKeys(text, "h", 22)
    assert.deepEqual([keys.accepts(one), keys.revoked(one)], [false, true])
    assert.deepEqual([keys.accepts(two), keys.revoked(two)], [true, false])
  }
  assert.throws(
    () => knownKeys(`${line("h")}\n@revoked ${line("h")}`, "h", 22),
    inputError("known-hosts-unknown", /@revoked/),
  )
})

test("an authority cannot be honoured, and that is said", () => {
  assert.throws(
    () => knownKeys(`@cert-authority ${line("*")}`, "h", 22),
    inputError("known-hosts-unknown", /host certificates are not supported/),
  )
  assert.equal(knownKeys(`@cert-authority ${line("*", two)}\n${line("h")}`, "h", 22).accepts(two), false)
})

test("fingerprints stand for known_hosts lines", () => {
  const keys = knownKeys(`${keyFingerprint(one)}\n`, "h", 22)
  assert.deepEqual([keys.types, keys.accepts(one), keys.accepts(two)], [[], true, false])
  assert.equal(keyFingerprint(one), `SHA256:${createHash("sha256").update(one).digest("base64").slice(0, 43)}`)
  assert.throws(() => knownKeys("SHA256:short", "h", 22), inputError("known-hosts-malformed", /fingerprint/))
  assert.throws(() => knownKeys("MD5:aa:bb", "h", 22), inputError("known-hosts-malformed", /fingerprint/))
})

test("nothing known is an input error, as is a malformed line, named by its number", () => {
  for (const text of ["", " \n\n"])
    assert.throws(() => knownKeys(text, "h", 22), inputError("known-hosts-missing", /`ssh-known-hosts` is empty/))
  for (const bad of [
    "h",
    "h ssh-ed25519",
    "h ssh-ed25519 AAAA",
    `h ssh-rsa ${one.toString("base64")}`,
    `@unknown ${line("h")}`,
  ]) {
    assert.throws(() => knownKeys(`${line("h")}\n${bad}`, "h", 22), inputError("known-hosts-malformed", /line 2 /))
  }
})
