import assert from "node:assert/strict"
import { join } from "node:path"
import { describe, test } from "node:test"
import { type RunActionOptions, runEntry } from "../support/run-action.ts"

const secret = "s3cr3t-line-one\nand-line-two"
const run = (way: string, { inputs, ...options }: RunActionOptions = {}) =>
  runEntry(join(import.meta.dirname, "fixture-action.ts"), { ...options, inputs: { way, "api-key": "", ...inputs } })

/** Lines that the runner would obey, stop-commands honoured as it does. */
function obeyed(log: string): readonly string[] {
  const found: string[] = []
  let token: string | undefined
  for (const line of log.split(/\r\n|\n|\r/)) {
    const text = line.trimStart()
    if (token !== undefined) {
      if (text === `::${token}::`) token = undefined
    } else if (text.startsWith("::stop-commands::")) token = text.slice("::stop-commands::".length)
    else if (text.startsWith("::") || text.includes("##[")) found.push(text)
  }
  return found
}

describe("an action as a step", { concurrency: 2 }, () => {
  test("gives its outputs and summary; an empty input is absent", async () => {
    const { code, outputs, summary } = await run("good", { inputs: { flag: "TRUE", list: " a, b\nc " } })
    assert.equal(code, 0)
    assert.deepEqual(outputs, { status: "success", reason: "done", answer: "true a+b+c undefined", count: "3" })
    assert.equal(summary, "# Done undefined\n")
  })

  test("masks every line of a secret, wherever it came from, and shows it nowhere", async () => {
    for (const given of [{ inputs: { "api-key": secret } }, { env: { API_KEY: secret } }]) {
      for (const way of ["good", "failed", "thrown", "bug"]) {
        const { masked, log, outputs, summary } = await run(way, given)
        assert.deepEqual(masked, [secret, ...secret.split("\n")])
        const shown = log.replaceAll(/^::add-mask::.*$/gm, "") + JSON.stringify(outputs) + summary
        for (const line of secret.split("\n")) assert.ok(!shown.includes(line), `${way}: ${shown}`)
      }
    }
  })

  test("partial is told apart and does not fail the step", async () => {
    const { code, outputs } = await run("partial")
    assert.deepEqual([code, outputs.status, outputs.reason], [0, "partial", "half"])
  })

  const failures = [
    ["failed", "Failed", "failed", "did-not", /with undefined/],
    ["thrown", "Failed", "failed", "broken", /it broke%0Acaused by: because of undefined%0AMend it\./],
    ["refused", "Refused", "refused", "not-safe", /not without a backup%0ABack up first\./],
    ["wrong", "Wrong input", "failed", "file-bad", /infra\.yml:1:1 is empty/],
    ["bug", "Bug", "failed", "bug", /please report it/],
    ["forgotten", "Bug", "failed", "bug", /nobody waits for this/],
  ] as const
  for (const [way, title, status, reason, message] of failures)
    test(`${way}: fails the step and says who has to act`, async () => {
      const { code, outputs, log } = await run(way)
      assert.deepEqual([code, outputs.status, outputs.reason], [1, status, reason])
      const line = log.split("\n").find((one) => one.startsWith("::error"))
      assert.ok(line?.startsWith(`::error title=${title}::`), line)
      assert.match(line ?? "", message)
      if (way === "thrown") assert.deepEqual([outputs.answer, outputs.count], ["", "0"], "the negative outputs stand")
    })

  test("wrong inputs are all named at once, with what was meant, and no secret is shown", async () => {
    const { code, log, outputs } = await run("god", { inputs: { flag: "yes", "api-kee": secret } })
    assert.equal(code, 1)
    assert.equal(outputs.reason, "input-unknown")
    assert.match(log, /`fixture` has no input `api-kee`; did you mean `api-key`\?/)
    const second = await run("god", { inputs: { flag: "yes" } })
    assert.match(second.log, /input `way` .*expected one of good, .*\(got "god"\); did you mean `good`\?/)
    assert.match(second.log, /input `flag` .*one of true, false.*\(got "yes"\)/)
    const third = await run("")
    assert.match(third.log, /input `way` is missing: give it under `with:` as `way`\. How to end\./)
  })

  test("hostile text is shown and never obeyed", async () => {
    const { log, code } = await run("loud")
    assert.equal(code, 0)
    assert.ok(log.includes("planted"))
    const commands = obeyed(log).filter((line) => !/^::(warning|group|endgroup)/.test(line))
    assert.deepEqual(commands, [])
    assert.equal(obeyed(log).length, 3, "one warning, one group and its end")
  })

  for (const signal of ["SIGINT", "SIGTERM"] as const)
    test(`${signal}: says that it was cancelled and is gone within two seconds, even when its work is deaf`, async () => {
      for (const list of ["", "deaf"]) {
        let [sent, taken] = [0, Number.POSITIVE_INFINITY]
        // A busy machine may need another look at it.
        for (let tries = 0; tries < 10 && taken >= 2000; tries += 1) {
          const { code, outputs, log } = await run("hang", {
            inputs: { list },
            onOutput: (text, kill) => {
              if (!text.includes("hanging")) return
              sent = performance.now()
              kill(signal)
            },
          })
          taken = performance.now() - sent
          assert.deepEqual([code, outputs.status, outputs.reason], [1, "failed", "cancelled"], log)
        }
        assert.ok(taken < 2000, `${taken} ms`)
      }
    })

  test("killed: the negative outputs are what is left", async () => {
    const { signal, outputs } = await run("hang", {
      onOutput: (text, kill) => text.includes("hanging") && kill("SIGKILL"),
    })
    assert.equal(signal, "SIGKILL")
    assert.deepEqual(outputs, { status: "failed", reason: "not-finished", answer: "", count: "0" })
  })
})
