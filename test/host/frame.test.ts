import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { bootstrap, frame } from "../../src/host/frame.ts"

const older = mkdtempSync(join(tmpdir(), "infra-actions-older-dd-"))
after(() => rmSync(older, { recursive: true }))
writeFileSync(join(older, "dd"), '#!/bin/sh\ncase $1 in iflag=*) exit 1 ;; esac\nexec /bin/dd "$@"\n')
chmodSync(join(older, "dd"), 0o755)

for (const [which, path] of [
  ["one that fills its block from several reads", ""],
  ["an older one that cannot", `${older}:`],
] as const)
  test(`the script comes whole, and what follows is its input, by a dd: ${which}`, () => {
    const text = `${": a line as long as others, and there are many of them\n".repeat(1000)}cat`
    const { bytes, start, end } = frame(text, { input: true, limit: 60_000 })
    // Through a pipe that gives it piece by piece, as a connection does.
    const command = `{ head -c 900; sleep 0.1; cat; } | ${bootstrap}`
    const { stdout, stderr } = spawnSync("sh", ["-c", command], {
      input: Buffer.concat([bytes, Buffer.from("what follows")]),
      env: { PATH: `${path}${process.env.PATH}` },
      encoding: "utf8",
    })
    assert.match(stdout, new RegExp(`^${start} \\d+\nwhat follows\n${end} 0\n$`), stderr)
  })
