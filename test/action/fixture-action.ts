import { setTimeout } from "node:timers/promises"
import { z } from "zod"
import type { Contract } from "../../src/action/contract.ts"
import { boolean, input, secret, words } from "../../src/action/input.ts"
import { action, commonOutputs, notDone } from "../../src/action/outcome.ts"
import { runAction } from "../../src/action/run-action.ts"
import { failure, inputError, refusal } from "../../src/core/errors.ts"

const contract = {
  name: "fixture",
  description: "Ends in every way an action can end.",
  mutates: false,
  inputs: z.strictObject({
    way: input(
      z.enum(["good", "partial", "failed", "thrown", "refused", "wrong", "bug", "hang", "loud", "forgotten"]),
      {
        description: "How to end.",
      },
    ),
    "api-key": input(secret("api-key").optional(), { description: "A secret.", secret: true, env: ["API_KEY"] }),
    flag: input(boolean.default(false), { description: "A flag." }),
    list: input(words.optional(), { description: "A list." }),
  }),
  outputs: z.strictObject({ ...commonOutputs, answer: z.string(), count: z.int() }),
  negative: { ...notDone, answer: "", count: 0 },
} satisfies Contract

const hostile = "ok\n::error::planted\n  ::add-mask::x\r::set-output name=a::b\n##[error]planted"

const fixture = action(contract, async ({ way, "api-key": key, flag, list = [] }, { log, signal }) => {
  const answer = `${flag} ${list.join("+")}`
  const outputs = { status: "success", reason: "done", answer, count: list.length } as const
  switch (way) {
    case "good":
      return {
        outputs: { ...outputs, answer: `${outputs.answer} ${key?.reveal()}` },
        summary: `# Done ${key?.reveal()}`,
      }
    case "partial":
      return { outputs: { ...outputs, status: "partial", reason: "half" } }
    case "failed":
      return { outputs: { ...outputs, status: "failed", reason: "did-not" }, failure: `with ${key?.reveal()}` }
    case "thrown":
      throw failure("broken", "it broke", { hint: "Mend it.", cause: new Error(`because of ${key?.reveal()}`) })
    case "refused":
      throw refusal("not-safe", "not without a backup", { hint: "Back up first." })
    case "wrong":
      throw inputError("file-bad", "infra.yml:1:1 is empty")
    case "bug":
      throw new TypeError(`undefined is no ${key?.reveal()}`)
    case "forgotten":
      void Promise.reject(new Error("nobody waits for this"))
      await setTimeout(60_000)
      return { outputs }
    case "hang":
      log.info("hanging")
      await setTimeout(60_000, undefined, { signal: list.includes("deaf") ? new AbortController().signal : signal })
      return { outputs }
    case "loud":
      log.info(hostile)
      log.untrusted(hostile)
      log.warning(hostile)
      await log.group(hostile, async () => log.step(hostile))
      return { outputs, summary: hostile }
  }
})

void runAction(fixture)
