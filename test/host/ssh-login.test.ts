import assert from "node:assert/strict"
import { generateKeyPairSync } from "node:crypto"
import { test } from "node:test"
import ssh2 from "ssh2"
import { AppError } from "../../src/core/errors.ts"
import { checkLogin, type SshLogin } from "../../src/host/ssh-login.ts"
import { Secret } from "../../src/shell/secret.ts"

const pem = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
}).privateKey
const openssh = ssh2.utils.generateKeyPairSync("ed25519")
const login = (change: Partial<SshLogin> = {}): SshLogin => ({
  address: "203.0.113.7",
  user: "deploy",
  key: new Secret("ssh-key", pem),
  knownHosts: `SHA256:${"A".repeat(43)}`,
  ...change,
})

test("a good login is read; its name shows the port only when it matters", () => {
  assert.equal(checkLogin(login()).name, "deploy@203.0.113.7")
  assert.equal(
    checkLogin(login({ port: 2222, key: new Secret("ssh-key", openssh.private) })).name,
    "deploy@203.0.113.7:2222",
  )
  assert.deepEqual(checkLogin({ ...login({ agent: "/run/agent" }), key: new Secret("ssh-key", "") }).proof, {
    agent: "/run/agent",
  })
  assert.equal(checkLogin(login({ address: "2001:db8::7" })).address, "2001:db8::7")
})

const bad: readonly [string, Partial<SshLogin>, string, RegExp][] = [
  ["a URL for an address", { address: "ssh://host" }, "ssh-address", /"ssh:\/\/host"/],
  ["an address with the user", { address: "deploy@host" }, "ssh-address", /deploy@host/],
  ["an empty address", { address: "" }, "ssh-address", /""/],
  ["no user", { user: "" }, "ssh-user", /empty/],
  ["a port out of range", { port: 70_000 }, "ssh-port", /70000/],
  ["no key", { key: new Secret("ssh-key", "\n") }, "ssh-key-missing", /`ssh-key` is empty/],
  [
    "a public key",
    { key: new Secret("deploy-key", openssh.public) },
    "ssh-key-invalid",
    /`deploy-key` holds a public key/,
  ],
  ["no key at all", { key: new Secret("ssh-key", "hunter2") }, "ssh-key-invalid", /`ssh-key` is not a private key/],
  ["a key cut short", { key: new Secret("ssh-key", pem.slice(0, 400)) }, "ssh-key-invalid", /not a private key/],
  [
    "a key whose line breaks were lost",
    { key: new Secret("ssh-key", openssh.private.replaceAll("\n", " ")) },
    "ssh-key-invalid",
    /not a private key/,
  ],
  ["no known hosts", { knownHosts: "" }, "known-hosts-missing", /`ssh-known-hosts` is empty/],
]
for (const [name, change, code, message] of bad) {
  test(`${name} is an input error with a hint and without the value of a secret`, () => {
    assert.throws(
      () => checkLogin(login(change)),
      (error) => {
        assert.ok(error instanceof AppError, String(error))
        assert.deepEqual([error.kind, error.code], ["input", code])
        assert.match(error.message, message)
        assert.ok(error.hint)
        assert.doesNotMatch(`${error.message}${error.hint}`, /hunter2|MII/)
        return true
      },
    )
  })
}
