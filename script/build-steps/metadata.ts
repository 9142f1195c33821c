import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { stringify } from "yaml"
import type { Contract } from "../../src/action/contract.ts"
import { defaultText, inputMeta, isRequired } from "../../src/action/input.ts"
import { actionNames, root } from "./places.ts"

/** Writes `action.yml` and the README's tables of every action, from its contract, below `directory`. */
export async function writeMetadata(directory: string): Promise<void> {
  for (const name of actionNames()) {
    const contract = await contractOf(name)
    const folder = `${directory}/actions/${name}`
    mkdirSync(folder, { recursive: true })
    writeFileSync(`${folder}/action.yml`, actionYaml(contract, "../../dist"))
    const readme = `${root}/actions/${name}/README.md`
    if (existsSync(readme)) writeFileSync(`${folder}/README.md`, withTables(readFileSync(readme, "utf8"), contract))
  }
}

/** The one contract that `actions/<name>/contract.ts` exports. Throws when there is none. */
export async function contractOf(name: string): Promise<Contract> {
  const exported = Object.values((await import(`${root}/actions/${name}/contract.ts`)) as object)
  const contract = exported.find((value): value is Contract => typeof value === "object" && "negative" in value)
  if (contract?.name !== name) throw new Error(`actions/${name}/contract.ts exports no contract named ${name}`)
  return contract
}

/** The text of `action.yml`; `dist` is the way from its folder to the bundles. */
export function actionYaml(contract: Contract, dist: string): string {
  const { name, description } = contract
  const post = existsSync(`${root}/actions/${name}/post.ts`)
  const document = {
    name: `infra-actions ${name}`,
    description,
    inputs: Object.fromEntries(Object.entries(contract.inputs.shape).map(([key, schema]) => [key, inputYaml(schema)])),
    outputs: Object.fromEntries(
      Object.entries(contract.outputs.shape).map(([key, schema]) => [key, { description: schema.description }]),
    ),
    runs: {
      using: "node24",
      main: `${dist}/${name}/index.js`,
      ...(post && { post: `${dist}/${name}/post.js`, "post-if": "always()" }),
    },
  }
  return `# Written by script/build from contract.ts.\n${stringify(document, { lineWidth: 0 })}`
}

function inputYaml(schema: Contract["inputs"]["shape"][string]) {
  const text = defaultText(schema)
  const { description } = inputMeta(schema)
  return { description, required: isRequired(schema), ...(text !== undefined && { default: text }) }
}

/** The README with the tables between its `<!-- inputs -->` and `<!-- outputs -->` marks written anew. */
export function withTables(readme: string, contract: Contract): string {
  const inputs = Object.entries(contract.inputs.shape).map(([name, schema]) => {
    const text = defaultText(schema)
    const given = isRequired(schema) ? "**required**" : text === undefined ? "" : `\`${text}\``
    return [`\`${name}\``, inputMeta(schema).description, given]
  })
  const outputs = Object.entries(contract.outputs.shape).map(([name, schema]) => [
    `\`${name}\``,
    schema.description ?? "",
  ])
  const filled = between(readme, "inputs", table(["Input", "What it is", "Default"], inputs))
  return between(filled, "outputs", table(["Output", "What it is"], outputs))
}

function between(text: string, mark: string, content: string): string {
  const [start, end] = [`<!-- ${mark} -->`, `<!-- /${mark} -->`]
  const [from, to] = [text.indexOf(start), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`a README has no ${start} ... ${end}`)
  return `${text.slice(0, from + start.length)}\n${content}\n${text.slice(to)}`
}

/** Aligned, as the formatter wants it. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows].map((cells) => cells.map((cell) => cell.replaceAll("|", "\\|")))
  const widths = head.map((_, column) => Math.max(...all.map((cells) => cells[column]?.length ?? 0)))
  const line = (cells: readonly string[]) => `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |`
  const [first = [], ...others] = all
  return [line(first), line(widths.map((width) => "-".repeat(width))), ...others.map(line)].join("\n")
}
