import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { GetObjectCommand } from "@aws-sdk/client-s3"
import { Secret } from "../../src/shell/secret.ts"
import { s3Store } from "../../src/storage/s3-store.ts"
import { makeBackup, putBackup, testStore } from "../conformance/store.ts"
import { decryptByHand, makeOpenpgpKeys } from "../support/openpgp-keys.ts"
import { shellBlocks } from "../support/shell-blocks.ts"
import { shells, shellWork } from "../support/shell-work.ts"
import { type S3Ground, s3Ground } from "./s3-ground.ts"

const keys = makeOpenpgpKeys()
const { publicKey } = keys
const encryption = { publicKey, privateKey: new Secret("backup-key", keys.privateKey) }
const file = "postgres/a 'b.dump"
const large = randomBytes(17 * 1024 * 1024)

testStore("encrypted s3 from the host", () => s3Ground({ transfer: "host", encryption }))
testStore("encrypted s3 through the runner", () => s3Ground({ transfer: "runner", encryption }))

async function stored({ client, options }: S3Ground, key: string): Promise<Buffer> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: options.bucket, Key: key }))
  return Buffer.from((await Body?.transformToByteArray()) ?? [])
}

test("S3 holds nothing of the bytes in clear, and gpg alone brings them back", async () => {
  await using ground = await s3Ground({ transfer: "host", encryption, readBack: true })
  await ground.store.probe()
  const bytes = Buffer.from("a secret row\n".repeat(200_000))
  const manifest = await putBackup(ground, makeBackup(ground.directory, { files: { [file]: bytes } }))
  assert.equal(manifest.storage.tier, "read-back")
  const [object] = manifest.storage.objects
  assert.equal(object?.key, `${ground.options.prefix}${file}.gpg`)
  const there = await stored(ground, object.key)
  assert.equal(there.length, object.encrypted?.bytes)
  assert(!there.includes("a secret row"))
  const copy = `${ground.directory}/by-hand.gpg`
  writeFileSync(copy, there)
  assert(decryptByHand(copy, keys.privateKey).equals(bytes))
  assert.throws(() => decryptByHand(copy, makeOpenpgpKeys().privateKey), /No secret key/)
  // The file on the host is what it was, and no encrypted copy of it stays there.
  assert.deepEqual(readdirSync(`${ground.directory}/postgres`), ["a 'b.dump"])
})

test("what is not what was dumped any more is not encrypted into a copy", async () => {
  await using ground = await s3Ground({ transfer: "host", encryption })
  const made = makeBackup(ground.directory, { files: { [file]: Buffer.from("a row\n".repeat(1000)) } })
  writeFileSync(`${ground.directory}/${file}`, "a ROW\n".repeat(1000))
  await assert.rejects(putBackup(ground, made), { code: "backup-corrupt" })
})

test("a copy comes back by the commands of the guide, where nothing but the private key was brought", async () => {
  const guide = readFileSync(join(import.meta.dirname, "../../docs/s3.md"), "utf8")
  const [making, opening] = shellBlocks(guide).filter((block) => block.startsWith("gpg "))
  const folder = mkdtempSync(join(tmpdir(), "t-gpg-guide-"))
  const homes = ["here", "there"].map((name) => join(folder, name))
  const run = (home: string | undefined, block: string | undefined) =>
    execFileSync("sh", ["-euc", block ?? assert.fail("no such block")], {
      cwd: folder,
      env: { ...process.env, GNUPGHOME: home },
      stdio: "pipe",
    })
  try {
    for (const home of homes) mkdirSync(home, { mode: 0o700 })
    run(homes[0], making)
    const made = { publicKey: readFileSync(join(folder, "backups.public"), "utf8"), privateKey: undefined }
    await using ground = await s3Ground({ transfer: "host", encryption: made })
    const put = await putBackup(ground, makeBackup(ground.directory, { files: { [file]: large } }))
    writeFileSync(join(folder, "shop-database.dump.gpg"), await stored(ground, put.storage.objects[0]?.key ?? ""))
    run(homes[1], opening)
    assert(readFileSync(join(folder, "shop-database.dump")).equals(large))
  } finally {
    for (const home of homes) execFileSync("gpgconf", ["--homedir", home, "--kill", "all"])
    rmSync(folder, { recursive: true, force: true })
  }
})

test("after another key has taken the place of the first, old copies come back as the new ones do while both are given", async () => {
  await using ground = await s3Ground({ transfer: "host", encryption })
  const second = makeOpenpgpKeys()
  const storeWith = (publicKey: string, privateKey: string) =>
    s3Store({ ...ground.options, encryption: { publicKey, privateKey: new Secret("backup-key", privateKey) } })
  const files = ["postgres/old.dump", "postgres/new.dump"]
  const [old, young] = files.map((name, at) => {
    const made = makeBackup(ground.directory, { id: `backup-2026010${at + 1}-020000`, files: { [name]: large } })
    return { name, made }
  })
  assert(old && young)
  const before = await putBackup(ground, old.made)
  const now = await putBackup({ ...ground, store: storeWith(second.publicKey, second.privateKey) }, young.made)
  for (const { name } of [old, young]) rmSync(`${ground.directory}/${name}`)
  await assert.rejects(storeWith(second.publicKey, second.privateKey).fetch(before, ground.work), {
    code: "backup-key",
  })
  const both = storeWith(second.publicKey, `${keys.privateKey}\n${second.privateKey}`)
  for (const one of [before, now]) await both.fetch(one, ground.work)
  for (const name of files) assert(readFileSync(`${ground.directory}/${name}`).equals(large))
})

test("without the key, or with another, nothing comes back and the input is named", async () => {
  await using ground = await s3Ground({ transfer: "host", encryption })
  const manifest = await putBackup(ground, makeBackup(ground.directory, { files: { [file]: large } }))
  rmSync(`${ground.directory}/${file}`)
  const store = (privateKey: string | undefined) => {
    const secret = privateKey === undefined ? undefined : new Secret("backup-key", privateKey)
    return s3Store({ ...ground.options, encryption: { publicKey: undefined, privateKey: secret } })
  }
  const keysThatFail = [undefined, makeOpenpgpKeys().privateKey, "no key at all", publicKey]
  for (const key of keysThatFail)
    await assert.rejects(store(key).fetch(manifest, ground.work), (error: Error & { code?: string }) => {
      assert.equal(error.code, "backup-key")
      assert(!error.message.includes("PRIVATE KEY"))
      return true
    })
  await store(keys.privateKey).fetch(manifest, ground.work)
  assert(readFileSync(`${ground.directory}/${file}`).equals(large))
})

test("a host that cannot encrypt, or a key that cannot, is told before anything is stored", async () => {
  await using ground = await s3Ground({ transfer: "host" })
  const broken = { publicKey: "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nnot a key", privateKey: undefined }
  await assert.rejects(s3Store({ ...ground.options, encryption: broken }).probe(), { code: "s3-encryption" })
  const host = {
    ...ground.host,
    run: ((command, options) =>
      ground.host.run(
        { ...command, text: `command() { return 1; }\n${command.text}` },
        options,
      )) as typeof ground.host.run,
  }
  await assert.rejects(s3Store({ ...ground.options, host, encryption }).probe(), /gpg is not installed/)
})

test("the private key is in nothing that a step gives to the host, nor in the log", async () => {
  await using ground = await s3Ground({ transfer: "host", encryption })
  const inputs: string[] = []
  const work: S3Ground["work"] = {
    ...ground.work,
    async step(name, command, options = {}) {
      const input = options.input instanceof Secret ? options.input.reveal() : String(options.input ?? "")
      inputs.push(`${command.text}\n${input}`)
      return ground.work.step(name, command, options)
    },
  }
  const manifest = await putBackup({ ...ground, work }, makeBackup(ground.directory, { files: { [file]: large } }))
  rmSync(`${ground.directory}/${file}`)
  await ground.store.fetch(manifest, work)
  // The private key's first lines repeat the public one.
  const isOwn = (line: string) => line.length > 20 && !publicKey.includes(line) && !line.startsWith("-")
  const own = keys.privateKey.split("\n").filter(isOwn)
  assert(own.length >= 3)
  const told = [...inputs, ...ground.log].join("\n")
  assert(!own.some((line) => told.includes(line)))
  assert(
    inputs.some((one) => /\n9:[0-9A-F]{64}\n$/.test(one)),
    "the host got the file's session key",
  )
  assert(!/9:[0-9A-F]{64}/.test(ground.log.join("\n")))
})

for (const shell of shells)
  test(`encryption and decryption mean the same under ${shell.join(" ")}`, async () => {
    await using ground = await s3Ground({ transfer: "host", encryption })
    const work = shellWork(shell)
    const manifest = await putBackup({ ...ground, work }, makeBackup(ground.directory, { files: { [file]: large } }))
    rmSync(`${ground.directory}/${file}`)
    await ground.store.fetch(manifest, work)
    assert(readFileSync(`${ground.directory}/${file}`).equals(large))
  })

for (const shell of shells)
  test(`a full disk is told as such while a file is decrypted, and its encrypted copy stays (${shell.join(" ")})`, async () => {
    const directory = mkdtempSync(join(tmpdir(), "t-s3-small-"))
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=40m", "tmpfs", directory])
    await using ground = await s3Ground({ transfer: "host", encryption, directory })
    // Before the ground, which removes the directory.
    using _ = { [Symbol.dispose]: () => void execFileSync("umount", ["-l", directory]) }
    const work = shellWork(shell)
    const { store } = ground
    const manifest = await putBackup(ground, makeBackup(directory, { files: { [file]: large } }))
    rmSync(`${directory}/${file}`)
    execFileSync("fallocate", ["-l", "15m", `${directory}/filler`])
    await assert.rejects(store.fetch(manifest, work), /has \d+ KiB free, the decrypted file needs 17409 KiB/)
    // A disk that fills up meanwhile.
    const services = manifest.services.map((one) => ({
      ...one,
      artifacts: one.artifacts.map((artifact) => ({ ...artifact, bytes: 1 })),
    }))
    await assert.rejects(store.fetch({ ...manifest, services }, work), /cannot be written to its end: is the disk full/)
    assert.deepEqual(readdirSync(`${directory}/postgres`), ["a 'b.dump.gpg.partial"])
    rmSync(`${directory}/filler`)
    const before = ground.proxy.seen.length
    await store.fetch(manifest, work)
    assert(readFileSync(`${directory}/${file}`).equals(large))
    assert(!ground.proxy.seen.slice(before).some((line) => line.startsWith("GET ")), "it came again")
    assert.deepEqual(readdirSync(`${directory}/postgres`), ["a 'b.dump"])
  })

for (const transfer of ["host", "runner"] as const)
  test(`a right file on the host is neither replaced nor fetched again (${transfer})`, async () => {
    await using ground = await s3Ground({ transfer, encryption })
    const manifest = await putBackup(ground, makeBackup(ground.directory, { files: { [file]: large } }))
    const { ino } = statSync(`${ground.directory}/${file}`)
    const before = ground.proxy.seen.length
    await ground.store.fetch(manifest, ground.work)
    assert(!ground.proxy.seen.slice(before).some((line) => line.startsWith("GET ")), "it came again")
    assert.equal(statSync(`${ground.directory}/${file}`).ino, ino)
    assert.deepEqual(readdirSync(`${ground.directory}/postgres`), ["a 'b.dump"])
  })
