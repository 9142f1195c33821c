import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { test } from "node:test"
import { ListMultipartUploadsCommand } from "@aws-sdk/client-s3"
import { Secret } from "../../src/shell/secret.ts"
import { openBucket } from "../../src/storage/s3-client.ts"
import { head } from "../../src/storage/s3-multipart.ts"
import { s3Store } from "../../src/storage/s3-store.ts"
import { makeBackup, putBackup, testStore } from "../conformance/store.ts"
import { type S3Ground, s3Ground } from "./s3-ground.ts"
import type { Fault } from "./s3-proxy.ts"

testStore("s3 from the host", () => s3Ground({ transfer: "host" }))
testStore("s3 through the runner", () => s3Ground({ transfer: "runner" }))

const large = randomBytes(40 * 1024 * 1024)
const file = "postgres/large.dump"

function isPart(method: string, url: string): boolean {
  return method === "PUT" && url.includes("partNumber=")
}

/** Faults for the first requests that match, then none. */
function first(faults: readonly Fault[], match: (method: string, url: string) => boolean): S3Ground["proxy"]["fault"] {
  const left = [...faults]
  return (method, url) => (match(method, url) ? (left.shift() ?? "pass") : "pass")
}

async function unfinished({ client, options }: S3Ground): Promise<number> {
  const { Uploads: uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: options.bucket }))
  return uploads.filter((one) => one.Key?.startsWith(options.prefix)).length
}

for (const transfer of ["host", "runner"] as const) {
  test(`three parts ${transfer === "host" ? "from the host" : "through the runner"} have the computed ETag and come back whole`, async () => {
    await using ground = await s3Ground({ transfer })
    const manifest = await putBackup(ground, makeBackup(ground.directory, { files: { [file]: large } }))
    assert.equal(manifest.storage.tier, "etag")
    assert.match(manifest.storage.objects[0]?.etag ?? "", /^[0-9a-f]{32}-3$/)
    assert.equal(manifest.storage.objects[0]?.partBytes, 16 * 1024 * 1024)
    rmSync(`${ground.directory}/${file}`)
    await ground.store.fetch(manifest, ground.work)
    assert(readFileSync(`${ground.directory}/${file}`).equals(large))
  })
}

const many: readonly Fault[] = Array(6).fill(503)
for (const [transfer, faults] of [
  ...([[503, 503], ["stall"], ["cut", "cut"], ["corrupt"], [403]] as const).map((one) => ["host", one] as const),
  // The client library tries three times by itself where the store answered with its own fault, or with nothing.
  ...([many, ["cut", "cut"], ["corrupt"]] as const).map((one) => ["runner", one] as const),
])
  test(`parts met by ${faults.join(", ")} are sent again (${transfer})`, async () => {
    await using ground = await s3Ground({ transfer })
    ground.proxy.fault = first(["pass", ...faults], isPart)
    const manifest = await putBackup(ground, makeBackup(ground.directory, { files: { [file]: large } }))
    assert.deepEqual(await ground.store.verify(manifest), [])
  })

for (const transfer of ["host", "runner"] as const) {
  test(`a store that takes a part with a wrong MD5 gets no backup (${transfer})`, async () => {
    await using ground = await s3Ground({ transfer })
    // What the runner sends is signed with its MD5: there the proxy is the store that takes it.
    const ignored: readonly Fault[] = transfer === "host" ? ["no-md5", "no-md5"] : ["empty"]
    ground.proxy.fault = first(ignored, isPart)
    const manifest = makeBackup(ground.directory)
    await assert.rejects(ground.store.putArtifacts(manifest, ground.work), { code: "s3-md5-ignored" })
    assert.deepEqual(await ground.keys(), [])
    assert.equal(await unfinished(ground), 0)
  })

  test(`a file that is not what was proven does not become an object (${transfer})`, async () => {
    await using ground = await s3Ground({ transfer })
    const manifest = makeBackup(ground.directory)
    writeFileSync(`${ground.directory}/dragonfly/cache-1.rdb`, "Some keys")
    await assert.rejects(ground.store.putArtifacts(manifest, ground.work), { code: "backup-corrupt" })
    assert.deepEqual(await ground.keys(), [])
    assert.equal(await unfinished(ground), 0)
  })
}

for (const transfer of ["host", "runner"] as const)
  test(`an upload is noted on the host before anything is sent to it (${transfer})`, async () => {
    await using ground = await s3Ground({ transfer })
    const { options, proxy } = ground
    const noted: boolean[] = []
    proxy.fault = (method, url) => {
      const id = new URL(url, "http://s3").searchParams.get("uploadId")
      if (isPart(method, url)) noted.push(read(`${options.notes}/backup-20261121-030000.jsonl`).includes(`"${id}"`))
      return "pass"
    }
    await putBackup(ground, makeBackup(ground.directory))
    assert.deepEqual(noted, [true, true])
    const [upload, ...more] = (await ground.store.uploads?.noted()) ?? []
    assert.deepEqual([upload?.path, more], ["dragonfly/cache-1.rdb", []])
  })

test("a store that goes on failing fails the upload and keeps nothing of it", async () => {
  await using ground = await s3Ground({ transfer: "host", patience: { tries: 2, stall: 2 } })
  ground.proxy.fault = (method, url) => (isPart(method, url) && !url.includes("partNumber=1") ? 503 : "pass")
  const manifest = makeBackup(ground.directory, { files: { [file]: large } })
  await assert.rejects(ground.store.putArtifacts(manifest, ground.work), /part 2 was answered with 503/)
  assert.deepEqual(await ground.keys(), [])
  assert.equal(await unfinished(ground), 0)
})

test("a lost answer to the completion is no failure", async () => {
  await using ground = await s3Ground({ transfer: "host" })
  ground.proxy.fault = first(["lose-answer"], (method, url) => method === "POST" && url.includes("uploadId="))
  const manifest = await putBackup(ground, makeBackup(ground.directory))
  assert.deepEqual(await ground.store.verify(manifest), [])
})

test("a fetch goes on where it was cut, and a changed byte is never data", async () => {
  await using ground = await s3Ground({ transfer: "host" })
  const manifest = await putBackup(ground, makeBackup(ground.directory, { files: { [file]: large } }))
  rmSync(`${ground.directory}/${file}`)
  const isGet = (method: string, url: string) => method === "GET" && url.includes("large.dump")
  ground.proxy.fault = first(["cut-answer", "cut-answer", 503], isGet)
  await ground.store.fetch(manifest, ground.work)
  assert(readFileSync(`${ground.directory}/${file}`).equals(large))
  rmSync(`${ground.directory}/${file}`)
  ground.proxy.fault = first(["corrupt-answer"], isGet)
  await assert.rejects(ground.store.fetch(manifest, ground.work), /other bytes than its manifest says/)
  assert.deepEqual(readdirSync(`${ground.directory}/postgres`), [])
})

for (const transfer of ["host", "runner"] as const)
  test(`more cuts than tries do not end a fetch that goes on (${transfer})`, async () => {
    await using ground = await s3Ground({ transfer, patience: { tries: 2, stall: 2 } })
    const manifest = await putBackup(ground, makeBackup(ground.directory, { files: { [file]: large } }))
    rmSync(`${ground.directory}/${file}`)
    const isGet = (method: string, url: string) => method === "GET" && url.includes("large.dump")
    // From the host three ranges come side by side, each cut once.
    ground.proxy.fault = first(["cut-answer", "cut-answer", "cut-answer"], isGet)
    await ground.store.fetch(manifest, ground.work)
    assert(readFileSync(`${ground.directory}/${file}`).equals(large))
    assert(ground.proxy.seen.filter((line) => line.startsWith("GET ") && line.includes("large.dump")).length >= 4)
  })

test("an object that is there already is never written over", async () => {
  await using ground = await s3Ground({ transfer: "host" })
  await ground.damage("dragonfly/cache-1.rdb")
  const manifest = await putBackup(ground, makeBackup(ground.directory))
  assert.equal(manifest.storage.objects[0]?.key, `${ground.options.prefix}dragonfly/cache-1.rdb.r2`)
  const bucket = openBucket(ground.options)
  assert.equal((await head(bucket, `${ground.options.prefix}dragonfly/cache-1.rdb`, undefined))?.bytes, 9)
  assert.deepEqual(await ground.store.verify(manifest), [])
})

test("an answer that only looks like an empty list is an error", async () => {
  await using ground = await s3Ground()
  ground.proxy.fault = (_method, url) => (url.includes("list-type=2") ? 200 : "pass")
  await assert.rejects(ground.store.list())
})

test("credentials and URLs are seen by no process, file or log while parts go up", async () => {
  await using ground = await s3Ground({ transfer: "host" })
  const before = new Set(readdirSync("/proc"))
  ground.proxy.fault = first(["pass", { delay: 1500 }], isPart)
  const manifest = makeBackup(ground.directory, { files: { [file]: large } })
  const upload = putBackup(ground, manifest)
  const { accessKeyId, secretAccessKey } = ground.options.credentials
  const secrets = [accessKeyId.reveal(), secretAccessKey.reveal(), "X-Amz-Signature"]
  let senders = 0
  let busy = true
  const watch = (async () => {
    while (busy) {
      const now = readdirSync("/proc").filter(
        (pid) => /^\d+$/.test(pid) && !before.has(pid) && Number(pid) !== process.pid,
      )
      for (const pid of now) {
        const told = ["cmdline", "environ"].map((name) => read(`/proc/${pid}/${name}`)).join("\0")
        if (told.includes("curl")) senders++
        // Other tests' own processes may run beside: only what this upload could have started counts.
        for (const secret of secrets) assert(!(told.includes(secret) && told.includes("curl")), `${pid} shows a secret`)
        assert(!told.includes("X-Amz-Signature"), `${pid} shows a URL`)
      }
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })()
  await upload.finally(() => {
    busy = false
  })
  await watch
  assert(senders > 0, "no curl was seen at work")
  const files = readdirSync(ground.directory, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())
  for (const one of files) {
    const text = readFileSync(`${one.parentPath}/${one.name}`, "latin1")
    for (const secret of secrets) assert(!text.includes(secret), `${one.name} holds a secret`)
  }
  assert(!secrets.some((secret) => ground.log.join("\n").includes(secret)))
})

test("what is wrong with the access is said, with the input's name", async () => {
  await using ground = await s3Ground()
  const wrong = (name: string) => new Secret(name, "AKIDWRONG")
  const { credentials } = ground.options
  const cases = [
    [{ credentials: { ...credentials, secretAccessKey: wrong("s3-secret-access-key") } }, "s3-credentials"],
    [{ credentials: { ...credentials, accessKeyId: wrong("s3-access-key-id") } }, "s3-credentials"],
    [{ bucket: "no-such-bucket-here" }, "s3-bucket"],
    [{ endpoint: "http://127.0.0.1:9" }, "s3-unreachable"],
  ] as const
  for (const [change, code] of cases) {
    await assert.rejects(
      s3Store({ ...ground.options, ...change }).probe(),
      (error: Error & { code?: string; hint?: string }) => {
        assert.equal(error.code, code, error.message)
        assert.match(error.hint ?? "", /s3-access-key-id|backup\.s3\./)
        assert(!error.message.includes("AKIDWRONG"))
        return true
      },
    )
  }
})

for (const [lack, why] of [
  ["PATH=/nonexistent", /curl is not installed$/],
  ["export http_proxy=http://127.0.0.1:9", /curl cannot reach http:\/\/127\.0\.0\.1:\d+ \(code 7\)$/],
] as const)
  test(`a host that cannot reach S3 sends through the runner, and says so (${lack})`, async () => {
    await using ground = await s3Ground()
    const manifest = makeBackup(ground.directory)
    const store = s3Store({ ...ground.options, host: { ...ground.host, run: lacking(ground, lack) } })
    const { objects } = await store.putArtifacts(manifest, ground.work)
    assert.equal(objects.length, 1)
    assert.match(ground.log.join("\n"), /^backups go to S3 through the runner: on localhost /)
    assert.match(ground.log.join("\n"), why)
  })

/** The same host in a worse environment. */
function lacking({ host }: S3Ground, lack: string): S3Ground["host"]["run"] {
  return (command, options) => host.run({ ...command, text: `${lack}\n${command.text}` }, options)
}

function read(path: string): string {
  try {
    return readFileSync(path, "latin1")
  } catch (error) {
    // The process has ended meanwhile.
    if (["ENOENT", "ESRCH", "EACCES"].includes((error as NodeJS.ErrnoException).code ?? "")) return ""
    throw error
  }
}
