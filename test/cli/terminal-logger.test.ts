import assert from "node:assert/strict"
import { test } from "node:test"
import { createMasking } from "../../src/action/masking.ts"
import { terminalLogger } from "../../src/cli/terminal-logger.ts"

test("text of a host cannot move the cursor, and secrets are hidden", () => {
  const masking = createMasking()
  masking.add("hidden")
  let shown = ""
  const log = terminalLogger(masking, (text) => {
    shown += text
  })
  log.untrusted("\u001b[2Jgone\r\u009bhidden\tü\r\nnext\n")
  assert.equal(shown, "  │ \\x1b[2Jgone\\x0d\\x9b***\tü\n  │ next\n")
})
