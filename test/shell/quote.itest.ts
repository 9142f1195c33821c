import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { test } from "node:test"
import fc from "fast-check"
import { quote } from "../../src/shell/quote.ts"
import { hostileStrings } from "./hostile-strings.ts"

const shells: readonly (readonly [string, ...string[]])[] = [
  ["sh"],
  ["dash"],
  ["bash"],
  ["bash", "--posix"],
  ["busybox", "sh"],
]

/** What the shell makes of the words, handed to it on standard input as scripts of ours are. */
function expand([program, ...args]: readonly [string, ...string[]], words: readonly string[]): string[] {
  const script = `printf '%s\\0' ${words.map(quote).join(" ")}\n`
  const { stdout, status, stderr } = spawnSync(program, args, { input: script, encoding: "utf8" })
  assert.equal(status, 0, stderr)
  return stdout.split("\0").slice(0, -1)
}

const piece = fc.oneof(
  fc.constantFrom(...hostileStrings, "'", '"', "\\", "$", "`", "\n", "-", "!", "*", " ", ";", "\r", "#", "~", "\u0080"),
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "binary" }),
)
const word = fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join("").replaceAll("\0", "").toWellFormed())

for (const shell of shells) {
  test(`a quoted word comes out of ${shell.join(" ")} as it went in`, () => {
    assert.deepEqual(expand(shell, hostileStrings), hostileStrings)
    const law = fc.property(fc.array(word, { minLength: 1, maxLength: 20 }), (words) => {
      assert.deepEqual(expand(shell, words), words)
    })
    fc.assert(law, { numRuns: 25 })
  })
}

test("a quoted word stays one when it is quoted again", () => {
  const twice = fc.property(word, (text) => {
    const input = `eval ${quote(`printf %s ${quote(text)}`)}\n`
    assert.equal(spawnSync("sh", { input, encoding: "utf8" }).stdout, text)
  })
  fc.assert(twice, { numRuns: 20 })
})

test("what needs no quotes stays readable, and NUL is refused", () => {
  assert.equal(quote("/opt/app/docker-compose.prod.yml"), "/opt/app/docker-compose.prod.yml")
  assert.equal(quote(""), "''")
  assert.throws(() => quote("a\0b"), TypeError)
})
