import { type Document, isAlias, isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml"
import { inputError, messageOf } from "./errors.ts"

/** A YAML text that remembers where everything stands. */
export interface YamlSource {
  /** The text's data, aliases and merge keys resolved. */
  readonly data: unknown
  /** `infra.yml:7:3` for the deepest part of `path` that is there, and how many steps of the path that is. */
  locate(path: readonly PropertyKey[]): { readonly place: string; readonly depth: number }
}

/** Reads YAML 1.2. Throws `input` `config-invalid` with `file:line:column` of every syntax error. */
export function readYaml(text: string, file: string): YamlSource {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, merge: true, prettyErrors: false })
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  if (document.errors.length > 0) {
    const messages = document.errors.map((error) => `${place(error.pos[0])} ${error.message}`)
    throw inputError("config-invalid", messages.join("\n"), { hint: `Correct the YAML syntax of ${file}.` })
  }
  return {
    data: toData(document, file),
    locate: (path) => {
      const { offset, depth } = walk(document, path)
      return { place: place(offset), depth }
    },
  }
}

function toData(document: Document, file: string): unknown {
  try {
    return document.toJS()
  } catch (cause) {
    throw inputError("config-invalid", `${file}: ${messageOf(cause)}`, { cause, hint: "Write it without aliases." })
  }
}

function walk(document: Document, path: readonly PropertyKey[]): { offset: number; depth: number } {
  let node = document.contents as Node | null
  let offset = node?.range?.[0] ?? 0
  for (const [depth, key] of path.entries()) {
    const next = step(isAlias(node) ? (node.resolve(document) ?? null) : node, key)
    if (!next) return { offset, depth }
    node = next.node
    offset = next.offset
  }
  return { offset, depth: path.length }
}

function step(node: Node | null, key: PropertyKey): { node: Node | null; offset: number } | undefined {
  if (isSeq(node)) {
    const item = node.items[Number(key)] as Node | undefined
    return item && { node: item, offset: item.range?.[0] ?? 0 }
  }
  if (!isMap(node)) return undefined
  const pair = node.items.find((one) => isPair(one) && isScalar(one.key) && String(one.key.value) === String(key))
  if (!pair || !isScalar(pair.key)) return undefined
  return { node: pair.value as Node | null, offset: pair.key.range?.[0] ?? 0 }
}
