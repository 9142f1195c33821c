import assert from "node:assert/strict"
import { execFileSync, spawnSync } from "node:child_process"
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, describe, test } from "node:test"
import { remoteCall } from "../../src/remote/call.ts"
import { sh } from "../../src/shell/command.ts"
import { folder, runIn, type Shell, shells } from "./shells.ts"

const rounds = Number(process.env.LEASE_ROUNDS ?? 50)
const seconds = Number(process.env.LEASE_SECONDS ?? 6)
const root = folder()
after(() => root.remove())

const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()
const now = () => Math.floor(Date.now() / 1000)
const call = (shell: Shell, name: string, ...args: readonly (string | number)[]) =>
  runIn(shell, remoteCall("keeper", "change", { name, args }))

function lockDirectory(name: string): string {
  const path = join(root.path, name)
  rmSync(path, { recursive: true, force: true })
  mkdirSync(path)
  return path
}

for (const shell of shells) {
  describe(`lease under ${shell.name}`, { concurrency: 4 }, () => {
    test("claim, hold, renew, release; numbers are never reused", async () => {
      const lock = join(lockDirectory(`${shell.name}-life`), "lock")
      assert.deepEqual(await call(shell, "lease_claim", lock, 600, '{"run":"1"}'), answer("claimed 1\n"))
      const held = await call(shell, "lease_claim", lock, 600, '{"run":"2"}')
      assert.match(held.stdout, /^held 1 \d+ \d+ 600 this \{"run":"1"\}\n$/)
      assert.equal((await call(shell, "lease_renew", lock, 1)).code, 0)
      assert.equal((await call(shell, "lease_renew", lock, 2)).code, 79)
      assert.deepEqual(await call(shell, "lease_release", lock, 2, "/nowhere"), answer("not-held\n"))
      assert.equal((await call(shell, "lease_held", lock, 1)).code, 0, "a stranger's release must not end it")
      assert.deepEqual(await call(shell, "lease_release", lock, 1, "/nowhere"), answer("released\n"))
      assert.deepEqual(await call(shell, "lease_release", lock, 1, "/nowhere"), answer("not-held\n"))
      assert.equal((await call(shell, "lease_held", lock, 1)).code, 1)
      assert.match((await call(shell, "lease_read", lock, 600)).stdout, /^free 1 \d+ \d+ 600 this \{"run":"1"\}\n$/)
      assert.deepEqual(await call(shell, "lease_claim", lock, 600, "{}"), answer("claimed 2\n"))
    })

    test("a claim is on disk before anybody sees it, and its number before it is told", async () => {
      const lock = lockDirectory(`${shell.name}-sync`)
      const tools = join(root.path, `${shell.name}-tools`)
      mkdirSync(tools)
      const order = join(tools, "order")
      for (const tool of ["sync", "ln"]) {
        const text = `#!/bin/sh\nlast() { for one; do :; done; echo "\${one##*/}"; }\necho ${tool} "$(last "$@")" >>${order}\nPATH=/usr/bin:/bin exec ${tool} "$@"\n`
        writeFileSync(join(tools, tool), text, { mode: 0o755 })
      }
      const claim = remoteCall("keeper", "change", { name: "lease_claim", args: [lock, 600, "{}"] })
      assert.deepEqual(await runIn(shell, sh`PATH=${tools}:$PATH\n${claim}`), answer("claimed 1\n"))
      const done = readFileSync(order, "utf8").replace(/\.claim\.\d+/, ".claim")
      assert.equal(done, `sync .claim\nln gen.1\nsync ${shell.name}-sync\n`)
    })

    test("stale by its own ttl, counted from the last renewal", async () => {
      const lock = lockDirectory(`${shell.name}-stale`)
      writeFileSync(join(lock, "gen.4"), `${now() - 700} ${boot} 600 {}\n`)
      writeFileSync(join(lock, "beat.4"), `${now() - 590} ${boot}\n`)
      assert.match((await call(shell, "lease_claim", lock, 10, "{}")).stdout, /^held 4 70\d 59\d 600 this/)
      writeFileSync(join(lock, "beat.4"), `${now() - 602} ${boot}\n`)
      const taken = await call(shell, "lease_claim", lock, 10, "{}")
      assert.match(taken.stdout, /^claimed 5\nstale 4 70\d 60\d 600 this \{\}\n$/)
      assert.equal((await call(shell, "lease_renew", lock, 4)).code, 79, "the old holder finds out")
    })

    test("before a reboot: two missed renewals are enough, one is not", async () => {
      const lock = lockDirectory(`${shell.name}-boot`)
      writeFileSync(join(lock, "gen.1"), `${now() - 200} other-boot 600 {}\n`)
      assert.match((await call(shell, "lease_claim", lock, 600, "{}")).stdout, /^held 1 .* other/)
      writeFileSync(join(lock, "gen.1"), `${now() - 310} other-boot 600 {}\n`)
      assert.match((await call(shell, "lease_claim", lock, 600, "{}")).stdout, /^claimed 2\nstale 1 31\d/)
    })

    test("a clock set back is not taken for stale; by more than the lease it is said", async () => {
      const lock = lockDirectory(`${shell.name}-clock`)
      writeFileSync(join(lock, "gen.1"), `${now() + 300} ${boot} 600 {}\n`)
      assert.match((await call(shell, "lease_claim", lock, 600, "{}")).stdout, /^held 1 -\d+ -\d+ 600 this/)
      writeFileSync(join(lock, "gen.1"), `${now() + 5000} ${boot} 600 {}\n`)
      assert.match((await call(shell, "lease_claim", lock, 600, "{}")).stdout, /^ahead 1 -\d+ -\d+ 600 this/)
      assert.deepEqual(await call(shell, "lease_force", lock, 1), answer("forced\n"))
      assert.deepEqual(await call(shell, "lease_claim", lock, 600, "{}"), answer("claimed 2\n"))
    })

    test("an emptied record is held until its file is old enough", async () => {
      const lock = lockDirectory(`${shell.name}-empty`)
      writeFileSync(join(lock, "gen.1"), "")
      assert.match((await call(shell, "lease_claim", lock, 600, "{}")).stdout, /^held 1 \d+ \d+ 600 other/)
      assert.match((await call(shell, "lease_claim", lock, -1, "{}")).stdout, /^claimed 2\nstale 1 /)
    })

    test("is handed on under a new number, held or released, unless another claim came between", async () => {
      const lock = lockDirectory(`${shell.name}-pass`)
      assert.deepEqual(await call(shell, "lease_pass", lock, 600, "{}", 1), answer("free 0\n"))
      await call(shell, "lease_claim", lock, 600, "first")
      assert.deepEqual(await call(shell, "lease_pass", lock, 600, "second", 1), answer("claimed 2\n"))
      assert.equal((await call(shell, "lease_held", lock, 1)).code, 1)
      assert.match((await call(shell, "lease_pass", lock, 600, "third", 1)).stdout, /^held 2 .* second\n$/)
      await call(shell, "lease_release", lock, 2, "/nowhere")
      assert.deepEqual(await call(shell, "lease_pass", lock, 600, "fourth", 2), answer("claimed 3\n"))
    })

    test("a claimer that died between its two names does not get its claim overwritten", async () => {
      const lock = lockDirectory(`${shell.name}-pid`)
      const program = remoteCall("lease", "change", { name: "lease_claim", args: [lock, 600, "mine"] })
      writeFileSync(join(lock, "gen.1"), `${now() - 700} ${boot} 600 theirs\n`)
      const seen = await runIn(shell, sh`ln ${lock}/gen.1 ${lock}/.claim.$$\n${program}`)
      assert.match(seen.stdout, /^claimed 2\n/)
      assert.match(readFileSync(join(lock, "gen.1"), "utf8"), /theirs/)
    })

    test("on a full disk its holder renews it all the same", async () => {
      const small = lockDirectory(`${shell.name}-small`)
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "lease", small])
      try {
        await call(shell, "lease_claim", small, 600, "{}")
        await call(shell, "lease_renew", small, 1)
        writeFileSync(join(small, "beat.1"), `${now() - 500} ${boot}\n`)
        spawnSync("dd", ["if=/dev/zero", `of=${small}/filler`, "bs=4k"])
        assert.deepEqual((await call(shell, "lease_renew", small, 1)).code, 0)
        assert.match((await call(shell, "lease_read", small, 600)).stdout, /^held 1 \d+ [0-9] 600 this/)
        assert.deepEqual(readdirSync(small).sort(), ["beat.1", "filler", "gen.1"])
      } finally {
        execFileSync("umount", [small])
      }
    })

    test("is refused to another account than its directory's, which could not read the claim", async () => {
      const lock = lockDirectory(`${shell.name}-account`)
      execFileSync("chown", ["nobody", lock])
      const { code, stderr } = await call(shell, "lease_claim", lock, 600, "{}")
      assert.deepEqual([code, readdirSync(lock)], [74, []])
      assert.match(stderr, /belongs to the account nobody/)
    })

    test("force ends only the claim that was seen", async () => {
      const lock = lockDirectory(`${shell.name}-force`)
      await call(shell, "lease_claim", lock, 600, "{}")
      assert.deepEqual(await call(shell, "lease_force", lock, 7), answer("not-held\n"))
      assert.equal((await call(shell, "lease_held", lock, 1)).code, 0)
    })

    test("sweeps old claims, keeps the newest, never counts backwards", async () => {
      const lock = lockDirectory(`${shell.name}-sweep`)
      for (let n = 1; n <= 60; n += 1) {
        writeFileSync(join(lock, `gen.${n}`), `1 ${boot} 600 {}\n`)
        writeFileSync(join(lock, `done.${n}`), "")
      }
      assert.deepEqual(await call(shell, "lease_claim", lock, 600, "{}"), answer("claimed 61\n"))
      const left = readdirSync(lock).filter((name) => name.startsWith("gen."))
      assert.equal(left.length, 21)
      assert.ok(left.includes("gen.41") && !left.includes("gen.40"))
    })

    test("a directory that cannot hold the lock is an error, not a claim", async () => {
      const file = join(lockDirectory(`${shell.name}-file`), "file")
      writeFileSync(file, "")
      const { code, stdout, stderr } = await call(shell, "lease_claim", `${file}/lock`, 600, "{}")
      assert.deepEqual([code, stdout], [74, ""])
      assert.notEqual(stderr, "")
    })

    test(`${rounds} rounds of 6 thieves at a stale lock: one winner each`, { timeout: 600_000 }, async () => {
      const lock = lockDirectory(`${shell.name}-thieves`)
      const claim = remoteCall("lease", "change", { name: "lease_claim", args: [lock, 600, "{}"] })
      const program = join(root.path, `${shell.name}-claim`)
      writeFileSync(program, claim.text)
      const result = await runIn(
        shell,
        sh`
          round=0
          while [ "$round" -lt ${rounds} ]; do
            rm -rf ${lock}; mkdir ${lock}; echo ${`1 ${boot} 600 {}`} >${lock}/gen.1
            for i in 1 2 3 4 5 6; do sh ${program} >${lock}/answer.$i 2>&1 & done; wait
            echo "$(cat ${lock}/answer.* | grep -v '^stale 1 ' | cut -d' ' -f1-2 | sort | uniq -c | tr -s ' \\n' '  ')"
            round=$((round + 1))
          done`,
      )
      const seen = result.stdout.trimEnd().split("\n")
      assert.equal(seen.length, rounds)
      assert.deepEqual([...new Set(seen.map((line) => line.trim()))], ["1 claimed 2 5 held 2"])
    })

    test(`6 processes for ${seconds} s, some of them dying with the lock: never two, never stuck`, {
      timeout: 600_000,
    }, async () => {
      const lock = lockDirectory(`${shell.name}-contend`)
      const program = join(root.path, `${shell.name}-contender`)
      writeFileSync(program, contender(lock))
      const result = await runIn(
        shell,
        sh`for i in 1 2 3 4 5 6; do sh ${program} "$i" ${seconds} & done; wait; ls ${lock} | grep -c '^gen'`,
      )
      const words = result.stdout.trim().split("\n")
      const count = (word: string) => words.filter((one) => one === word).length
      assert.equal(count("double"), 0, result.stdout)
      assert.ok(count("claimed") > 6, `too few claims to prove anything: ${count("claimed")}`)
      assert.ok(count("died") >= 1, "nobody died with the lock")
      assert.ok(count("after-death") >= 1, `stuck after a death: ${words.join(" ")}`)
    })
  })
}

/** Claims, works under the lock for a moment in a folder that only one may have, releases; now and then leaves it held. */
function contender(lock: string): string {
  const { text } = remoteCall("keeper", "change", { name: ":", args: [] })
  return `me=$1 seconds=$2
${text}
work_uptime; end=$((work_up + seconds)) mine=0
# On a busy machine for longer, up to a minute: until somebody came after the dead one, and enough have claimed.
enough() { [ -e '${lock}/after' ] && [ "$(ls '${lock}' | grep -c '^gen')" -gt 7 ]; }
while work_uptime; [ "$work_up" -lt "$end" ] || { [ "$work_up" -lt $((end + 60)) ] && ! enough; }; do
  got=$(lease_claim '${lock}' 3 '{}')
  case $got in claimed*) ;; *) sleep 0.0$me; continue ;; esac
  n=\${got#claimed }; n=\${n%%[!0-9]*}; mine=$((mine + 1)); echo claimed
  [ -e '${lock}/died' ] && echo after-death && : >'${lock}/after'
  lease_held '${lock}' "$n" || continue
  mkdir '${lock}/critical' || echo double
  sleep 0.01
  rmdir '${lock}/critical' || echo double
  if [ "$mine" = 3 ] && mkdir '${lock}/died' 2>/dev/null; then echo died; exit; fi
  lease_release '${lock}' "$n" /nowhere >/dev/null
done`
}

function answer(stdout: string) {
  return { code: 0, stdout, stderr: "" }
}
