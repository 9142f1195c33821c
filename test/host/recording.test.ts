import assert from "node:assert/strict"
import { existsSync } from "node:fs"
import { text } from "node:stream/consumers"
import { test } from "node:test"
import { localHost } from "../../src/host/local.ts"
import { readOnlyHost, recordingHost } from "../../src/host/recording.ts"
import { change, sh } from "../../src/shell/command.ts"

const file = `/tmp/infra-actions-recording-${process.pid}`

test("reads reach the host, changes are recorded and assumed", async () => {
  const seen: string[] = []
  await using host = recordingHost(localHost(), ({ text }) => {
    seen.push(text)
    return text.startsWith("docker run") ? "container-id\n" : undefined
  })
  assert.equal((await host.run(sh`echo real`)).stdout, "real\n")
  assert.equal(await text(host.stream(sh`echo real`).stdout), "real\n")
  assert.deepEqual(
    [(await host.run(change`touch ${file}`)).code, (await host.run(change`docker run x`)).stdout],
    [0, "container-id\n"],
  )
  await host.upload("secret content", file)
  assert.throws(() => host.stream(change`tar -x`), /cannot be recorded/)
  assert.deepEqual(seen, [`touch ${file}`, "docker run x", `cat >${file}`])
  assert.equal(existsSync(file), false)
})

test("the guard of a dry run lets no change through, in whatever guise", async () => {
  await using host = readOnlyHost(localHost())
  assert.equal((await host.run(sh`echo real`)).stdout, "real\n")
  for (const act of [
    () => host.run(change`touch ${file}`),
    () => host.run(sh`ls; ${change`touch ${file}`}`),
    () => host.upload("x", file),
    async () => host.stream(change`touch ${file}`).done,
  ]) {
    await assert.rejects(act)
  }
  await assert.rejects(host.run(change`touch ${file}`), /dry run would have changed localhost: `touch /)
  assert.equal(existsSync(file), false)
})
