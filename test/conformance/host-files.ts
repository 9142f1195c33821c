import assert from "node:assert/strict"
import { createHash, randomBytes } from "node:crypto"
import { PassThrough, Readable } from "node:stream"
import { text } from "node:stream/consumers"
import { test } from "node:test"
import { CommandError, type Host } from "../../src/host/host.ts"
import { change, sh } from "../../src/shell/command.ts"

/** What every host promises of files that go there and come from there. */
export function testFiles(host: () => Host, directory: string): void {
  const path = () => `${directory}/infra-actions host ${randomBytes(6).toString("hex")}'s`
  const listed = async (file: string) =>
    (
      await host().run(sh`ls -A -- ${directory} | grep -cF -- ${file.slice(directory.length + 1)}`, { allow: "any" })
    ).stdout.trim()

  test("an uploaded file has its bytes, its mode and its name, and nothing stays beside it", async () => {
    const bytes = randomBytes(3_000_000)
    for (const [content, mode, shown] of [
      [bytes, undefined, "600"],
      [Readable.from([bytes]), 0o640, "640"],
    ] as const) {
      const file = path()
      await host().upload(content, file, mode === undefined ? {} : { mode })
      assert.equal((await host().run(sh`stat -c '%a %s' -- ${file}`)).stdout, `${shown} 3000000\n`)
      const hash = createHash("sha256")
      for await (const chunk of host().download(file)) hash.update(chunk)
      assert.equal(hash.digest("hex"), createHash("sha256").update(bytes).digest("hex"))
      assert.equal(await listed(file), "1")
      await host().run(change`rm -- ${file}`)
    }
  })

  test("an upload that breaks leaves the old file", async () => {
    const file = path()
    await host().upload("old", file)
    const input = new PassThrough()
    input.write("new but half")
    setTimeout(() => input.destroy(new Error("source gone")), 100)
    await assert.rejects(host().upload(input, file), /source gone/)
    assert.equal(await text(host().download(file)), "old")
    assert.equal(await listed(file), "1")
    await host().run(change`rm -- ${file}`)
  })

  test("a file that is not there is an error of the download", async () => {
    await assert.rejects(text(host().download(path())), CommandError)
  })
}
