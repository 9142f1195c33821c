import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, it } from "node:test"
import { remoteScript } from "../../src/remote/scripts.ts"
import { shells } from "../support/shell-work.ts"

const image = "infra-testbed/dragonfly:1"
const [device, bind, plain] = ["t-places-device", "t-places-bind", "t-places-plain"]

describe("data-places", () => {
  let folder: string
  let loop = ""
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "t-places-"))
    for (const name of ["full", "empty"]) mkdirSync(join(folder, name))
    writeFileSync(join(folder, "full", "PG_VERSION"), "17\n")
    const disk = join(folder, "disk")
    run("truncate", "--size", "8M", disk)
    run("mke2fs", "-q", "-t", "ext4", "-d", join(folder, "full"), disk)
    loop = run("losetup", "--find", "--show", disk).trim()
    create(device, "type=ext4", `device=${loop}`)
    create(bind, "type=none", "o=bind", `device=${join(folder, "full")}`)
    create(plain)
  })
  after(() => {
    run("docker", "volume", "rm", "--force", device, bind, plain)
    if (loop !== "") run("losetup", "--detach", loop)
    rmSync(folder, { recursive: true })
  })

  for (const [program, ...words] of shells)
    it(`looks behind the mount point of a volume that no container uses (${[program, ...words].join(" ")})`, () => {
      const places = [device, bind, plain, "t-places-none", join(folder, "full"), join(folder, "empty")]
      const text = execFileSync(program, [...words, "-c", remoteScript("data-places"), "sh", image, ...places], {
        encoding: "utf8",
      })
      assert.deepEqual(text.trimEnd().split("\n"), ["full", "full", "empty", "absent", "full", "empty"])
    })

  it("does not know what is in a volume that cannot be mounted, or without an image to look with", () => {
    const look = (from: string) =>
      execFileSync("sh", ["-c", remoteScript("data-places"), "sh", from, device], { encoding: "utf8" })
    assert.match(look(""), /^unknown not readable/)
    assert.match(look("infra-testbed/none:1"), /^unknown .*No such image/)
  })
})

function create(name: string, ...options: readonly string[]): void {
  run(
    "docker",
    "volume",
    "create",
    "--label",
    "infra-actions.testbed=1",
    ...options.flatMap((one) => ["--opt", one]),
    name,
  )
}

function run(program: string, ...words: readonly string[]): string {
  return execFileSync(program, words, { encoding: "utf8" })
}
