import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { shellBlocks } from "./shell-blocks.ts"

/** The commands of docs/by-hand.md, all of a section's together, by the heading that they stand under. */
const sections: ReadonlyMap<string, string> = new Map(
  readFileSync(join(import.meta.dirname, "../../docs/by-hand.md"), "utf8")
    .split(/^##+ /m)
    .map((part) => {
      return [part.split("\n")[0]?.replaceAll("`", "") ?? "", shellBlocks(part).join("\n")]
    }),
)

/** Those that bring a file of one format into the new database: `.dump`, `.sql.gz`. */
export const postgresHeadings: readonly string[] = [...sections.keys()].filter((heading) => heading.startsWith("."))

/** Runs what stands under these headings, word for word, as a person would in one shell; gives what it printed. */
export function runByHand(
  headings: readonly string[],
  { env, cwd }: { readonly env: Readonly<Record<string, string>>; readonly cwd?: string },
): string {
  const commands = headings.map((heading) => sections.get(heading) || assert.fail(`nothing stands under ${heading}`))
  return execFileSync("sh", ["-euc", commands.join("\n")], {
    encoding: "utf8",
    env: { ...process.env, ...env },
    ...(cwd !== undefined && { cwd }),
  })
}
