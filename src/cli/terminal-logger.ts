import type { Masking } from "../action/masking.ts"
import type { Logger } from "../job/logger.ts"

/** A log for a person at a terminal. Text of the host cannot move the cursor or recolour what stands above it. */
export function terminalLogger(masking: Masking, write: (text: string) => void): Logger {
  const line = (text: string) => write(`${visible(masking.apply(text))}\n`)
  return {
    info: line,
    step: (name) => line(`▸ ${name}`),
    warning: (message) => line(`Warning: ${message}`),
    async group(title, body) {
      line(`── ${title}`)
      return await body()
    },
    untrusted: (text) => write(`${indented(visible(masking.apply(text)))}\n`),
  }
}

function indented(text: string): string {
  const lines = text.trimEnd().split("\n")
  return lines.map((line) => `  │ ${line}`).join("\n")
}

/** Control characters but tab and line end, shown as their code. */
export function visible(text: string): string {
  return text
    .replaceAll("\r\n", "\n")
    .replaceAll(/[^\P{Cc}\n\t]/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`)
}
