import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { createHash, randomBytes } from "node:crypto"
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { createServer } from "node:https"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { localHost } from "../../src/host/local.ts"
import { remoteScript } from "../../src/remote/scripts.ts"
import { script } from "../../src/shell/command.ts"
import { makeBackup, putBackup } from "../conformance/store.ts"
import { shells, shellWork } from "../support/shell-work.ts"
import { s3Ground } from "./s3-ground.ts"

for (const shell of shells) {
  test(`upload and fetch mean the same under ${shell.join(" ")}`, async () => {
    await using ground = await s3Ground({ transfer: "host" })
    const bytes = randomBytes(17 * 1024 * 1024 + 1)
    const work = shellWork(shell)
    const manifest = await putBackup(
      { ...ground, work },
      makeBackup(ground.directory, { files: { "postgres/a b.dump": bytes } }),
    )
    rmSync(`${ground.directory}/postgres`, { recursive: true })
    let cut = 0
    ground.proxy.fault = (method, url) =>
      method === "GET" && url.includes("dump") && cut++ === 0 ? "cut-answer" : "pass"
    await ground.store.fetch(manifest, work)
    assert(readFileSync(`${ground.directory}/postgres/a b.dump`).equals(bytes))
    rmSync(`${ground.directory}/postgres/a b.dump`)
    ground.proxy.fault = (method, url) => (method === "GET" && url.includes("dump") ? 503 : "pass")
    await assert.rejects(ground.store.fetch(manifest, work), /S3 answered 503 for postgres\/a b\.dump/)
  })

  test(`a file that has come in takes its place only from a damaged one (${shell.join(" ")})`, async () => {
    const directory = mkdtempSync(join(tmpdir(), "t-accept-"))
    const path = `${directory}/a b.dump`
    const sum = createHash("sha256").update("right").digest("hex")
    const accept = () =>
      shellWork(shell).step("accept", script("change", remoteScript("store-accept"), [directory, "a b.dump", 5, sum]))
    writeFileSync(path, "right")
    const { ino } = statSync(path)
    writeFileSync(`${path}.partial`, "right")
    await accept()
    assert.deepEqual([readdirSync(directory), statSync(path).ino], [["a b.dump"], ino])
    writeFileSync(path, "wrong")
    writeFileSync(`${path}.partial`, "wrong")
    await assert.rejects(accept(), /other bytes than its manifest says/)
    writeFileSync(`${path}.partial`, "right")
    await accept()
    assert.equal(readFileSync(path, "utf8"), "right")
    assert.match(readdirSync(directory).join(), /^a b\.dump,a b\.dump\.damaged\.\d+$/)
    rmSync(directory, { recursive: true })
  })
}

/** A store's address by https, and the certificate that it shows, which nobody has signed. */
async function httpsStore() {
  const folder = mkdtempSync(join(tmpdir(), "t-reach-"))
  const [certificate, key] = [join(folder, "certificate"), join(folder, "key")]
  const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
  const made = ["-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate]
  execFileSync("openssl", ["req", "-x509", ...made, ...subject], { stdio: "ignore" })
  const served = { cert: readFileSync(certificate), key: readFileSync(key) }
  const server = createServer(served, (_request, answer) => answer.writeHead(403).end())
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    origin: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    certificate,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      rmSync(folder, { recursive: true })
    },
  }
}

for (const shell of shells)
  test(`a host says why it cannot send to S3 itself (${shell.join(" ")})`, async () => {
    await using store = await httpsStore()
    await using host = localHost({ shell: [...shell] })
    const reach = async (origin: string, trusts: string) => {
      const command = script("read", remoteScript("s3-reach"), [origin])
      return (await host.run({ ...command, text: `${trusts}\n${command.text}` })).stdout.trim()
    }
    const distrust = `curl does not trust the certificate of ${store.origin} (no CA certificates?)`
    assert.equal(await reach(store.origin, `export CURL_CA_BUNDLE=${store.certificate}`), "ok")
    assert.equal(await reach(store.origin, ""), distrust)
    assert.equal(await reach(store.origin, "export CURL_CA_BUNDLE=/nonexistent"), distrust)
    assert.match(await reach("http://127.0.0.1:9", ""), /^curl cannot reach http:\/\/127\.0\.0\.1:9 \(code 7\)$/)
  })
