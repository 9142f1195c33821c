import assert from "node:assert/strict"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { describe, test } from "node:test"
import { contractOf } from "../../script/build-steps/metadata.ts"
import { root } from "../../script/build-steps/places.ts"
import { parseArguments } from "../../src/cli/arguments.ts"

const folder = join(root, "docs")
const pages = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".md"))

describe("the pages in docs/", () => {
  test("link to files that are there", () => {
    let links = 0
    for (const page of pages) {
      const text = readFileSync(join(folder, page), "utf8")
      for (const [, path] of text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) {
        links += 1
        assert.ok(existsSync(join(folder, dirname(page), String(path))), `${page}: ${path}`)
      }
    }
    assert.ok(links > 0)
  })

  test("show commands whose inputs exist and are valid", async () => {
    let commands = 0
    for (const page of pages) {
      const text = readFileSync(join(folder, page), "utf8")
      for (const [, name = "", line = ""] of text.matchAll(/^infra-actions (\S+) ([^\n#]*)/gm)) {
        commands += 1
        const contract = await contractOf(name)
        const { inputs } = parseArguments(
          contract,
          line.split(/\s+/).filter((word) => word !== ""),
        )
        for (const [input, value] of inputs) {
          const schema = contract.inputs.shape[input] as unknown as { parse(text: string): unknown }
          schema.parse(value)
        }
      }
    }
    assert.ok(commands > 0)
  })
})
