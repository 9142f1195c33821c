import { randomUUID } from "node:crypto"
import * as core from "@actions/core"
import type { Logger } from "../job/logger.ts"
import type { Masking } from "./masking.ts"

/**
 * The log of a workflow's step. The runner obeys `::command::` at the start of a line and `##[command]` anywhere, in
 * standard output and standard error alike, and takes a lone carriage return for a line end: such text is wrapped.
 */
export function actionsLogger(masking: Masking, write: (text: string) => void): Logger {
  const plain = (text: string) => write(`${harmless(masking.apply(text))}\n`)
  return {
    info: plain,
    step: (name) => plain(`▸ ${name}`),
    warning: (message) => core.warning(masking.apply(message)),
    async group(title, body) {
      core.startGroup(masking.apply(title))
      try {
        return await body()
      } finally {
        core.endGroup()
      }
    },
    untrusted: (text) => write(`${fenced(masking.apply(text))}\n`),
  }
}

const obeyed = /(^|[\r\n\u0085\u2028\u2029])\s*::|##\[/

function harmless(text: string): string {
  return obeyed.test(text) ? fenced(text) : text
}

/** The runner takes no command until it reads the token again, which the text cannot know. */
function fenced(text: string): string {
  const token = randomUUID()
  return `::stop-commands::${token}\n${text}\n::${token}::`
}
