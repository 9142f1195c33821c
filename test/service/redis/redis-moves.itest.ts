import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { remoteScript } from "../../../src/remote/scripts.ts"
import { parseLeft } from "../../../src/service/redis/find-left.ts"

/** Everything that changes a directory, counted; the one with the number in `strike` is not done, for its shell is killed. */
const shim = `#!/bin/sh
n=$(($(cat "$COUNT" 2>/dev/null || echo 0) + 1))
echo $n >"$COUNT"
if [ "$n" = "$STRIKE" ]; then kill -KILL $PPID; exit 1; fi
[ "\${0##*/}" != sync ] || exit 0
exec env PATH="$REAL" "\${0##*/}" "$@"
`
const changing = ["mv", "rm", "rmdir", "mkdir", "ln", "chown", "sync"]

/** Old and new data of a server, with and without append-only files. */
const servers = {
  "one file": { append: "-", old: ["dump.rdb"], fresh: ["dump.rdb"] },
  "append-only files": { append: "aof", old: ["dump.rdb", "aof/l.1.base.rdb", "aof/l.manifest"], fresh: ["dump.rdb"] },
  "a set of Dragonfly's": {
    append: "-",
    old: ["dump-1-0000.dfs", "dump-1-0001.dfs", "dump-1-summary.dfs"],
    fresh: ["dump-restore-R-0000.dfs", "dump-restore-R-0001.dfs", "dump-restore-R-summary.dfs"],
  },
} as const

class Ground {
  readonly folder = mkdtempSync(join(tmpdir(), "t-moves-"))
  readonly data = join(this.folder, "data")
  readonly bin = join(this.folder, "bin")

  constructor() {
    mkdirSync(this.bin)
    for (const name of changing) writeFileSync(join(this.bin, name), shim, { mode: 0o755 })
  }

  /** Runs one of the scripts here instead of in a container; true when it came to its end, false when it was killed. */
  run(name: string, args: readonly string[], strike = 0): boolean {
    const here = 'at_data() { text=$1; shift 3; sh -c "$text" at-data "$@"; }'
    const text = [remoteScript("redis-data"), here, remoteScript(name)].join("\n")
    const count = join(this.folder, "count")
    rmSync(count, { force: true })
    const real = process.env.PATH ?? ""
    const env = { PATH: `${this.bin}:${real}`, REAL: real, COUNT: count, STRIKE: String(strike) }
    const { status, stderr } = spawnSync("sh", ["-c", text, "sh", "c", "i", this.data, ...args], { env })
    if (status !== 0 && strike === 0) assert.fail(`${name}: ${stderr}`)
    return status === 0
  }

  /** Which of these folders are there, as they are found whatever the data directory is. */
  left(...names: readonly string[]): readonly string[] {
    const here = 'at_data() { text=$1; shift 3; sh -c "$text" at-data "$@"; }'
    const text = [here, remoteScript("redis-find")].join("\n")
    const { stdout } = spawnSync("sh", ["-c", text, "sh", "c", "i", names.join(" "), this.folder], { encoding: "utf8" })
    return parseLeft(stdout).map(({ name, directory }) => {
      assert.equal(directory, this.data)
      return name
    })
  }

  write(place: string, files: readonly string[], word: string): void {
    for (const file of files) {
      mkdirSync(join(this.data, place, file, ".."), { recursive: true })
      writeFileSync(join(this.data, place, file), `${word} ${file}`)
    }
  }

  /** Every file of a folder that a start would load, with what it holds. */
  content(place: string): Readonly<Record<string, string>> {
    const root = join(this.data, place)
    const files = existsSync(root) ? readdirSync(root, { recursive: true, withFileTypes: true }) : []
    return Object.fromEntries(
      files
        .filter((one) => one.isFile())
        .map((one) => join(one.parentPath, one.name).slice(root.length + 1))
        .filter((path) => !path.startsWith("."))
        .map((path) => [path, readFileSync(join(root, path), "utf8")]),
    )
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true })
  }
}

/** What an undo of the restore R brings back, and what it puts aside. */
const folders = [".pre-restore-R", ".pre-restore-W"]

/** Calls `round` with a kill at each change, then at each next one, until it says that it came to its end. */
function untilItEnds(round: (strike: number) => boolean): number {
  let strike = 1
  while (!round(strike)) strike++
  return strike - 1
}

/** Pairs of kills: a third of them, among them each one alone, the first of the second's, and every distance. */
function isLeftOut(first: number, second: number): boolean {
  return second > 1 && (first * 2 + second) % 3 !== 0
}

for (const [what, { append, old, fresh }] of Object.entries(servers)) {
  const load = [append === "-" && old.length > 1 ? "dump-1" : "dump.rdb", append]

  test(`a restore killed at any change, and its undo killed at any, leave the old data whole: ${what}`, () => {
    const kills = untilItEnds((first) => {
      let ended = false
      untilItEnds((second) => {
        if (isLeftOut(first, second)) return false
        using ground = new Ground()
        ground.write("", old, "old")
        const before = ground.content("")
        ground.write(".restore-R", fresh, "new")
        ended = ground.run("redis-swap", ["R", ...load, "l", "{}"], first)
        if (ground.left(".restore-R", ".pre-restore-R").length === 0) return true
        const undone = ground.run("redis-undo", ["R", ...load], second)
        if (!undone) ground.run("redis-undo", ["R", ...load])
        assert.deepEqual(ground.content(""), before, `killed at change ${first}, then at ${second}`)
        assert.deepEqual(ground.left(".restore-R", ".pre-restore-R"), [])
        return undone
      })
      return ended
    })
    assert.ok(kills >= 6, String(kills))
  })

  test(`an undo killed at any change, and the way back from it killed at any, leave both data whole: ${what}`, () => {
    const kills = untilItEnds((first) => {
      let ended = false
      untilItEnds((second) => {
        if (isLeftOut(first, second)) return false
        using ground = new Ground()
        ground.write("", fresh, "new")
        ground.write(".pre-restore-R", old, "old")
        writeFileSync(join(ground.data, ".pre-restore-R/.moved"), "2026-11-21T03:00:00Z {}\n")
        const [before, kept] = [ground.content(""), ground.content(".pre-restore-R")]
        ended = ground.run("redis-take-back", ["W", ...load, "l", "{}", ".pre-restore-R"], first)
        if (ground.left(...folders).join() === ".pre-restore-R") {
          assert.deepEqual([ground.content(""), ground.content(".pre-restore-R")], [before, kept])
          return true
        }
        const back = ground.run("redis-undo", ["W", ...load, ".pre-restore-R"], second)
        if (!back) {
          if (ground.left(...folders).length === 2) ground.run("redis-undo", ["W", ...load, ".pre-restore-R"])
        }
        const now = [ground.content(""), ground.content(".pre-restore-R")]
        assert.deepEqual(now, [before, kept], `killed at change ${first}, then at ${second}`)
        assert.deepEqual(ground.left(...folders), [".pre-restore-R"])
        return back
      })
      return ended
    })
    assert.ok(kills >= 4, String(kills))
  })
}

test("a restore that is tried again under its id, and fails again, is taken back again", () => {
  using ground = new Ground()
  const { old, fresh } = servers["append-only files"]
  ground.write("", old, "old")
  const before = ground.content("")
  for (const _ of [1, 2]) {
    ground.write(".restore-R", fresh, "new")
    ground.run("redis-swap", ["R", "dump.rdb", "aof", "l", "{}"])
    ground.run("redis-undo", ["R", "dump.rdb", "aof"])
    assert.deepEqual(ground.content(""), before)
  }
  const failed = readdirSync(ground.data).filter((name) => name.startsWith(".failed-restore-R"))
  assert.equal(failed.length, 2)
  assert.deepEqual(ground.left(".restore-R", ".pre-restore-R"), [])
})

test("a folder into which nothing has come is none", () => {
  using ground = new Ground()
  mkdirSync(join(ground.data, ".pre-restore-R"), { recursive: true })
  assert.deepEqual(ground.left(".pre-restore-R"), [])
  writeFileSync(join(ground.data, ".pre-restore-R/.moved"), "2026-11-21T03:00:00Z {}\n")
  assert.deepEqual(ground.left(".pre-restore-R"), [".pre-restore-R"])
})

test("a file of any name that a server could load goes aside, whoever made it, and comes back; any other stays", () => {
  using ground = new Ground()
  ground.write("", ["dump.rdb", "before-migration.rdb", "notes.txt"], "old")
  const before = ground.content("")
  ground.write(".restore-R", ["dump.rdb"], "new")
  ground.run("redis-swap", ["R", "dump.rdb", "-", "l", "{}"])
  assert.deepEqual(Object.keys(ground.content("")).sort(), ["dump.rdb", "notes.txt"])
  assert.deepEqual(Object.keys(ground.content(".pre-restore-R")).sort(), ["before-migration.rdb", "dump.rdb"])
  ground.run("redis-undo", ["R", "dump.rdb", "-"])
  assert.deepEqual(ground.content(""), before)
})
