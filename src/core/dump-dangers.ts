import type { DumpPiece } from "./dump-piece.ts"

/** Why a restore does not run a piece of a foreign script. */
export type DangerCode =
  | "meta-command"
  | "program"
  | "server-file"
  | "superuser"
  | "restrict"
  | "setting"
  | "copy"
  | "unclear"
  | "cut-off"

const dangers: readonly (readonly [RegExp, DangerCode])[] = [
  [/^copy\b[\s\S]*\b(from|to)\s+program\b/i, "program"],
  [/^copy\b[\s\S]*\b(from|to)\s+e?'/i, "server-file"],
  [/^alter\s+system\b/i, "superuser"],
  [/^load\s+e?'/i, "superuser"],
  [/^(create|alter)\s+(role|user)\b[\s\S]*\bsuperuser\b/i, "superuser"],
]

/** What is wrong with a statement by its own words. NOSUPERUSER is one word. */
export function dangerOf(piece: DumpPiece): DangerCode | undefined {
  if (piece.unclear) return "unclear"
  if (changesReading(piece)) return "setting"
  const bare = withoutNames(piece.text)
  return dangers.find(([pattern]) => pattern.test(bare))?.[1]
}

/** The table of a `COPY ... FROM stdin` as pg_dump writes it, on one line without options; undefined for any other. */
export function copiedTable(text: string): string | undefined {
  return copyForm.exec(text)?.[1]
}

const name = String.raw`(?:"(?:[^"]|"")+"|[^\][\\"'(),;.:/\s-]+)`
const copyForm = new RegExp(
  String.raw`^copy (${name}(?:\.${name})?) *(?:\((?:${name}(?:, ?${name})*)?\))? *from stdin$`,
  "i",
)

/** Does a COPY take rows that follow in the script? */
export function takesRows(text: string): boolean {
  return /^copy\b[\s\S]*\bfrom\s+stdin\b/i.test(withoutNames(text))
}

function withoutNames(text: string): string {
  return text.replaceAll(/"[^"]*"/g, '""')
}

const readingSetting = /^(standard_conforming_strings|client_encoding)$/i

/** Would what follows be read in another way: backslashes within constants, or bytes that are no character of their own? */
function changesReading({ text, strings }: DumpPiece): boolean {
  const plain = text.replaceAll('"', "")
  if (/\bset\s+(?:session\s+|local\s+)?u&/i.test(plain)) return true
  if (/\bupdate\b[\s\S]*\bpg_settings\b/i.test(plain)) return true
  const value = (found: string | undefined) => (found === "''" ? strings[0] : found) ?? ""
  if (/\bstandard_conforming_strings\b/i.test(plain)) {
    const set = /^set\s+(?:session\s+|local\s+)?standard_conforming_strings\s*(?:=|to)\s*(''|\w+)$/i.exec(plain)
    return !/^(on|true|yes|1)$/i.test(value(set?.[1]))
  }
  if (/\bset\s+(?:session\s+|local\s+)?client_encoding\b|^set\s+(?:session\s+|local\s+)?names\b/i.test(plain)) {
    const set = /^set\s+(?:session\s+|local\s+)?(?:client_encoding\s*(?:=|to)\s*|names\s+)(''|\w+)$/i.exec(plain)
    return !safeEncodings.test(value(set?.[1]).replaceAll(/[^a-z0-9]/gi, ""))
  }
  return [...plain.matchAll(/\bset_config\b/gi)].some((found) => {
    const behind = plain.slice(found.index + found[0].length)
    const before = plain.slice(0, found.index).split("''").length - 1
    return (
      !/^\s*\(\s*'',/.test(behind.replace(/''\s+,/, "'',")) || readingSetting.test(strings[before] ?? "client_encoding")
    )
  })
}

/** Encodings of a server: no byte of a longer character looks like ASCII in them (manual 24.3.1). */
const safeEncodings =
  /^(utf8|unicode|sqlascii|latin([1-9]|10)|iso8859\d{1,2}|(win|windows)(125[0-8]|866|874)|koi8[ru]?|euc(jp|cn|kr|tw|jis2004)|muleinternal|default)$/i
