/** Bytes of a step's summary that GitHub takes; a larger one is dropped whole. */
const limit = 1024 * 1024
const note = "\n\n_Cut here: a job summary holds at most 1 MiB. The log has the rest._\n"

/** The Markdown, cut at a line end so that it fits, and saying so. */
export function cutSummary(markdown: string): string {
  const bytes = Buffer.from(markdown)
  if (bytes.length <= limit) return markdown
  const kept = bytes.subarray(0, limit - Buffer.byteLength(note) - 3).toString()
  const lineEnd = kept.lastIndexOf("\n")
  return `${lineEnd > 0 ? kept.slice(0, lineEnd) : kept.replace(/\uFFFD+$/, "")}${note}`
}

/** A heading with a table of rows: the form in which every action tells its numbers. Cells cannot break out of it. */
export function summaryTable(title: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`
  return [`### ${title}`, "", line(head), line(head.map(() => "---")), ...rows.map(line), ""].join("\n")
}

function cell(text: string): string {
  const oneLine = text.replace(/[\r\n]+/g, " ")
  return oneLine.replaceAll("\\", "\\\\").replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll("`", "&#96;")
}
