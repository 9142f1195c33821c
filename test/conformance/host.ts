import assert from "node:assert/strict"
import { createHash, randomBytes } from "node:crypto"
import { PassThrough, Readable } from "node:stream"
import { after, before, describe, test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { CommandError, type Host } from "../../src/host/host.ts"
import { type Command, change, sh } from "../../src/shell/command.ts"
import { Secret } from "../../src/shell/secret.ts"
import { hostileStrings } from "../shell/hostile-strings.ts"
import { testFiles } from "./host-files.ts"
import { alive, assertEnds, fault, startSilent } from "./host-process.ts"

/** What every host promises, however it is reached. `open` makes a new one; `directory` is writable there. */
export function testHost(name: string, open: () => Promise<Host>, directory = "/tmp"): void {
  describe(`host ${name}`, { concurrency: 4 }, () => {
    let host: Host
    before(async () => {
      host = await open()
    })
    after(() => host[Symbol.asyncDispose]())
    testResults(() => host)
    testStreams(() => host)
    testEnds(() => host, open)
    testFiles(() => host, directory)
  })
}

function testResults(host: () => Host): void {
  test("success is exit code 0, whatever standard error says", async () => {
    const result = await host().run(sh`echo out; echo err >&2`)
    assert.deepEqual([result.code, result.stdout, result.stderr], [0, "out\n", "err\n"])
  })

  test("another exit code fails with all that is known, unless it is allowed", async () => {
    const command = sh`echo out; echo first >&2; echo last >&2; exit 7`
    await assert.rejects(host().run(command), (error) => {
      assert.ok(error instanceof CommandError)
      assert.deepEqual([error.result.code, error.result.stdout], [7, "out\n"])
      assert.match(error.message, /exit code 7: last$/)
      return true
    })
    assert.equal((await host().run(command, { allow: [0, 7] })).code, 7)
    assert.equal((await host().run(command, { allow: "any" })).code, 7)
  })

  test("a killed command and a text that is no shell are failures", async () => {
    assert.equal((await host().run(sh`sh -c 'kill -9 $$'`, { allow: "any" })).code, 137)
    await assert.rejects(host().run(sh`echo ')`), CommandError)
    await assert.rejects(host().run(sh`if`), CommandError)
  })

  test("hostile strings arrive as they are", async () => {
    const { stdout } = await host().run(sh`printf '%s\\0' ${hostileStrings}`)
    assert.deepEqual(stdout.split("\0").slice(0, -1), hostileStrings)
  })

  test("the command's surroundings are known: sbin in the path, plain locale, private files", async () => {
    const { stdout } = await host().run(sh`echo "$LC_ALL $(umask)"; case ":$PATH:" in *:/usr/sbin:*) echo sbin ;; esac`)
    assert.equal(stdout, "C 0077\nsbin\n")
  })

  test("a script of 150 kB runs", async () => {
    const lines: Command[] = Array.from({ length: 3000 }, () => sh`: ${"x".repeat(47)}`)
    assert.equal(
      (await host().run(sh`${lines.reduce((all, line) => sh`${all}\n${line}`)}\necho done`)).stdout,
      "done\n",
    )
  })

  test("twenty commands at once all get their own answer", async () => {
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, n) => host().run(sh`sleep 0.1; echo ${n}; exit ${n}`, { allow: "any" })),
    )
    assert.deepEqual(
      results.map(({ code, stdout }) => [code, stdout]),
      results.map((_, n) => [n, `${n}\n`]),
    )
  })
}

function testStreams(host: () => Host): void {
  test("without input a command reads end-of-file at once", async () => {
    assert.equal((await host().run(sh`cat; echo end`)).stdout, "end\n")
  })

  test("several megabytes pass through unchanged, both ways, as bytes and as a stream", async () => {
    const bytes = randomBytes(6_000_000)
    for (const input of [bytes, Readable.from([bytes.subarray(0, 1), bytes.subarray(1)])]) {
      const { stdout, done } = host().stream(sh`cat`, { input })
      const hash = createHash("sha256")
      for await (const chunk of stdout) hash.update(chunk)
      assert.equal((await done).code, 0)
      assert.equal(hash.digest("hex"), createHash("sha256").update(bytes).digest("hex"))
    }
  })

  test("input that looks like the frame, and a missing last line feed, stay as they are", async () => {
    const framed = "12\n\nia-0123 0\n"
    assert.equal((await host().run(sh`cat`, { input: framed })).stdout, framed)
    assert.equal((await host().run(sh`printf a`)).stdout, "a")
    assert.equal((await host().run(sh`printf '\n\n'`)).stdout, "\n\n")
  })

  test("a command may leave its input unread", async () => {
    assert.equal((await host().run(sh`head -c 3`, { input: Buffer.alloc(4_000_000, "x") })).stdout, "xxx")
  })

  test("a slow reader holds the sender back and loses nothing", async () => {
    const { stdout, done } = host().stream(sh`head -c 8000000 /dev/zero`)
    let size = 0
    for await (const chunk of stdout) {
      if (size === 0) await sleep(300)
      size += chunk.length
      assert.ok(stdout.readableLength < 2_000_000)
    }
    await done
    assert.equal(size, 8_000_000)
  })

  test("the stream of a failing command gives all its bytes to the slowest reader, then the error", async () => {
    const { stdout, done } = host().stream(sh`head -c 1000000 /dev/zero; exit 3`)
    let size = 0
    await assert.rejects(async () => {
      for await (const chunk of stdout) {
        size += chunk.length
        await sleep(5)
      }
    }, CommandError)
    await assert.rejects(done, CommandError)
    assert.equal(size, 1_000_000)
  })

  test("an input that breaks fails the command", async () => {
    const input = new PassThrough()
    input.write("half")
    setTimeout(() => input.destroy(new Error("disk on fire")), 100)
    await assert.rejects(host().run(sh`cat`, { input }), /disk on fire/)
  })

  test("what a command leaves running in the background does not hold its result back", async () => {
    const { stdout } = await host().run(sh`sleep 60 & echo $!`)
    assert.ok(await alive(host(), Number(stdout)))
    await host().run(change`kill ${Number(stdout)}`)
  })

  test("a secret on standard input is in no process list", async () => {
    const secret = () => new Secret("password", `s-${randomBytes(12).toString("hex")}`)
    const look = sh`read -r secret; [ "$show" != yes ] || {
  sh -c 'sleep 60; :' "$secret" & shown=$!
  until tr '\\0' ' ' <"/proc/$shown/cmdline" | { read -r line; case $line in *"$secret"*) ;; *) false ;; esac; }; do :; done
}
for file in /proc/[0-9]*/cmdline; do
  case $(tr '\\0' ' ' <"$file") in *"$secret"*) echo seen; [ -z "$shown" ] || kill "$shown"; exit ;; esac
done 2>/dev/null
echo unseen`
    assert.equal((await host().run(sh`show=yes; ${look}`, { input: secret() })).stdout, "seen\n")
    assert.equal((await host().run(sh`show=no; ${look}`, { input: secret() })).stdout, "unseen\n")
  })
}

function testEnds(host: () => Host, open: () => Promise<Host>): void {
  test("a timeout ends the command on the host as well", async () => {
    const { pid, done } = await startSilent(host(), { timeout: 6_000 })
    await assert.rejects(done, fault("timeout"))
    await assertEnds(host(), pid, 30_000)
  })

  test("an abort rejects at once and ends the command", async () => {
    const stop = new AbortController()
    const { pid, done } = await startSilent(host(), { signal: stop.signal })
    assert.ok(await alive(host(), pid))
    const began = performance.now()
    stop.abort()
    await assert.rejects(done, fault("aborted"))
    assert.ok(performance.now() - began < 10_000)
    await assertEnds(host(), pid, 30_000)
    await assert.rejects(host().run(sh`true`, { signal: stop.signal }), fault("aborted"))
  })

  test("an abort takes a waiting command out of the queue", async () => {
    const stop = new AbortController()
    const busy = Array.from({ length: 8 }, () => host().run(sh`sleep 0.5`))
    const waiting = host().run(sh`true`, { signal: stop.signal })
    stop.abort()
    await assert.rejects(waiting, fault("aborted"))
    await Promise.all(busy)
    assert.equal((await host().run(sh`echo free`)).stdout, "free\n")
  })

  test("output that is given up ends the command", async () => {
    const { pid, stdout, done } = await startSilent(host())
    stdout.destroy()
    await assert.rejects(done, fault("aborted"))
    await assertEnds(host(), pid, 30_000)
  })

  test("a shell that is killed over its command is lost, never success", async () => {
    await assert.rejects(host().run(sh`echo part; kill -9 $$`, { allow: "any" }), fault("lost"))
  })

  test("disposing calls off what still runs", async () => {
    const other = await open()
    const { pid, done } = await startSilent(other)
    const began = performance.now()
    await other[Symbol.asyncDispose]()
    await assert.rejects(done, fault("aborted"))
    assert.ok(performance.now() - began < 10_000)
    await assertEnds(host(), pid, 30_000)
    await assert.rejects(other.run(sh`true`), fault("aborted"))
  })
}
