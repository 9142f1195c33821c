import assert from "node:assert/strict"
import { test } from "node:test"
import { localHost } from "../../src/host/local.ts"
import { sh } from "../../src/shell/command.ts"
import { testHost } from "../conformance/host.ts"
import { fault } from "../conformance/host-process.ts"

testHost("local", async () => localHost())

test("commands run in the directory that was given", async () => {
  await using host = localHost({ directory: "/usr" })
  assert.equal((await host.run(sh`pwd`)).stdout, "/usr\n")
})

test("a directory or shell that is not there makes the host unreachable", async () => {
  await assert.rejects(localHost({ directory: "/no/such" }).run(sh`true`), fault("unreachable"))
  await assert.rejects(localHost({ shell: ["no-such-shell"] }).run(sh`true`), fault("unreachable"))
})

test("a program that never runs the command did not run it, whatever it answers", async () => {
  await using host = localHost({ shell: ["true"] })
  await assert.rejects(host.run(sh`echo x`), fault("did-not-run"))
})
