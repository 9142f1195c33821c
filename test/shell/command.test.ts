import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { test } from "node:test"
import { change, isCommand, lines, script, sh } from "../../src/shell/command.ts"
import { Secret } from "../../src/shell/secret.ts"

test("a string is quoted, an array word by word, a number printed, a command inserted", () => {
  assert.equal(sh`docker inspect ${"a b"}`.text, "docker inspect 'a b'")
  assert.equal(sh`rm -- ${["a", "b c", 3, ""]}`.text, "rm -- a 'b c' 3 ''")
  assert.equal(sh`head -n ${10} ${"-x"}`.text, "head -n 10 -x")
  assert.equal(sh`if ${sh`test -e ${"a'b"}`}; then :; fi`.text, "if test -e 'a'\\''b'; then :; fi")
})

test("a command changes when a part of it does", () => {
  assert.equal(sh`ls`.effect, "read")
  assert.equal(change`touch x`.effect, "change")
  assert.equal(sh`ls && ${change`touch x`}`.effect, "change")
  assert.equal(change`touch ${"x"} && ${sh`ls`}`.effect, "change")
  assert.equal(lines(sh`ls`, sh`pwd`).effect, "read")
  assert.equal(lines(sh`ls`, change`touch x`, sh`pwd`).effect, "change")
  assert.equal(sh`${sh`${change`touch x`}`}`.effect, "change")
})

test("lines run in order, and a script sees its arguments", () => {
  const run = (input: string) => spawnSync("sh", { input, encoding: "utf8" }).stdout
  assert.equal(run(lines(sh`echo 1`, sh`echo 2`).text), "1\n2\n")
  assert.equal(run(script("read", 'printf "%s|" "$#" "$@"', ["a b", "", "$(id)", 7]).text), "4|a b||$(id)|7|")
  assert.equal(run(script("read", 'echo "$#"').text), "0\n")
  assert.equal(script("change", ":").effect, "change")
})

test("only what the templates made is a command", () => {
  assert.ok(isCommand(sh`ls`))
  for (const other of [undefined, null, "ls", { text: "ls", effect: "read" }]) assert.equal(isCommand(other), false)
  assert.throws(() => Object.assign(sh`ls`, { text: "rm -rf /" }), TypeError)
})

test("a secret is refused by the type and at run time, alone and inside an array", () => {
  const secret = new Secret("password", "hunter2")
  const refusal = (error: unknown) => {
    assert.ok(error instanceof TypeError)
    assert.match(error.message, /standard input/)
    assert.doesNotMatch(error.message, /hunter2/)
    return true
  }
  // @ts-expect-error a Secret is no Word
  assert.throws(() => sh`login ${secret}`, refusal)
  // @ts-expect-error nor a part of one
  assert.throws(() => change`login ${["-p", secret]}`, refusal)
  // @ts-expect-error nor an argument
  assert.throws(() => script("read", "login $1", [secret]), refusal)
})

test("nothing else slips in by accident", () => {
  // @ts-expect-error undefined would be an empty word
  assert.throws(() => sh`rm -rf /data/${undefined}`, TypeError)
  // @ts-expect-error an object that looks like a command is none
  assert.throws(() => sh`${{ text: "rm -rf /", effect: "read" }}`, TypeError)
  assert.throws(() => sh`sleep ${Number.NaN}`, TypeError)
  assert.throws(() => sh`sleep ${Number.POSITIVE_INFINITY}`, TypeError)
})
