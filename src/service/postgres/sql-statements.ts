/** One word of a statement: an identifier or keyword with its quotes taken off, a string constant, or a sign. */
export interface Token {
  readonly text: string
  readonly kind: "word" | "quoted" | "string" | "sign"
}

/** A statement as it was written, without its semicolon, and the words that it is made of. */
export interface Statement {
  readonly text: string
  readonly tokens: readonly Token[]
}

// PostgreSQL's lexical structure (manual 4.1) as far as pg_dump and pg_dumpall write it.
const lexeme =
  /(?<space>\s+|--[^\n]*|\/\*[\s\S]*?\*\/)|(?<meta>^\\[^\n]*)|(?<string>[eE]'(?:[^'\\]|\\[\s\S]|'')*'|'(?:[^']|'')*'|\$(?<tag>[A-Za-z_0-9]*)\$[\s\S]*?\$\k<tag>\$)|(?<quoted>"(?:[^"]|"")*")|(?<word>[\p{L}_][\p{L}\p{N}_$]*|\d[\w.]*)|(?<end>;)|(?<sign>[\s\S])/gmuy

/** Splits SQL that pg_dump or pg_dumpall wrote. Comments and psql's own commands (lines with a backslash) are left out. */
export function sqlStatements(sql: string): readonly Statement[] {
  const statements: Statement[] = []
  let tokens: Token[] = []
  let start = 0
  for (const match of sql.matchAll(lexeme)) {
    const groups = match.groups ?? {}
    // pg_dump writes none; psql would take it for a command of its own.
    if (groups.sign === "\\") throw new SyntaxError(`SQL with a backslash outside of quotes at byte ${match.index}`)
    const token = groups.meta === undefined ? tokenOf(groups) : undefined
    if (tokens.length === 0) start = match.index
    if (token) tokens.push(token)
    if (groups.end === undefined) continue
    if (tokens.length > 0) statements.push({ text: sql.slice(start, match.index), tokens })
    tokens = []
  }
  if (tokens.length > 0) throw new SyntaxError(`SQL ends within a statement: ${sql.slice(start, start + 40)}`)
  return statements
}

/** Does the statement begin with these keywords? */
export function beginsWith({ tokens }: Statement, ...keywords: readonly string[]): boolean {
  return keywords.every((keyword, at) => isKeyword(tokens[at], keyword))
}

export function isKeyword(token: Token | undefined, keyword: string): boolean {
  return token?.kind === "word" && token.text.toUpperCase() === keyword
}

/** The name at this place, as the server has it; undefined when there is no name. */
export function nameAt({ tokens }: Statement, at: number): string | undefined {
  const token = tokens[at]
  return token?.kind === "word" || token?.kind === "quoted" ? token.text : undefined
}

function tokenOf(groups: Record<string, string | undefined>): Token | undefined {
  if (groups.word !== undefined) return { text: groups.word, kind: "word" }
  if (groups.quoted !== undefined) return { text: groups.quoted.slice(1, -1).replaceAll('""', '"'), kind: "quoted" }
  if (groups.string !== undefined) return { text: groups.string, kind: "string" }
  if (groups.sign !== undefined) return { text: groups.sign, kind: "sign" }
  return undefined
}
