import { cpSync, rmSync } from "node:fs"
import { resolve } from "node:path"
import { bundle } from "./bundle.ts"
import { differences } from "./differences.ts"
import { writeMetadata } from "./metadata.ts"
import { root, scratch } from "./places.ts"
import { publish } from "./publish.ts"
import { writeSchema } from "./schema.ts"

const usage = `Usage:
  script/build                bundles into dist/, writes action.yml files, README tables and infra.schema.json
  script/build --check        fails when any of these is not what the sources build to
  script/build release DIR    writes the published tree, which \`uses: org/infra-actions/<name>@v1\` sees, into DIR`

/** Does what the arguments say; the exit code. */
export async function build(args: readonly string[]): Promise<number> {
  const [first, second, ...rest] = args
  if (rest.length > 0 || (first === "release") !== (second !== undefined)) return misused()
  if (first === undefined) await buildHere()
  else if (first === "--check") return check()
  else if (first === "release" && second !== undefined) await publish(resolve(second))
  else return misused()
  return 0
}

function misused(): number {
  process.stderr.write(`${usage}\n`)
  return 2
}

async function buildHere(): Promise<void> {
  await writeMetadata(root)
  writeSchema(root)
  using fresh = scratch()
  await bundle(fresh.path)
  rmSync(`${root}/dist`, { recursive: true, force: true })
  cpSync(fresh.path, `${root}/dist`, { recursive: true })
}

async function check(): Promise<number> {
  using fresh = scratch()
  await bundle(`${fresh.path}/dist`)
  await writeMetadata(fresh.path)
  writeSchema(fresh.path)
  const stale = differences(fresh.path, root)
  for (const path of stale) process.stderr.write(`not what the sources build to: ${path}\n`)
  if (stale.length > 0) process.stderr.write("Run script/build and commit what it writes.\n")
  return stale.length > 0 ? 1 : 0
}
