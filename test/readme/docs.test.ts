import assert from "node:assert/strict"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { describe, test } from "node:test"
import { contractOf } from "../../script/build-steps/metadata.ts"
import { root } from "../../script/build-steps/places.ts"
import { readInputs } from "../../src/action/read-inputs.ts"
import { parseArguments } from "../../src/cli/arguments.ts"
import { terminalRuntime } from "../../src/cli/terminal-runtime.ts"

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
        const words = line.replace(/\bID\b/, "backup-20261121-020000").split(/\s+/)
        const given = parseArguments(
          contract,
          words.filter((word) => word !== ""),
        )
        readInputs(contract, terminalRuntime({ arguments: given, env: {}, directory: "/", writeLog: () => {} }))
      }
    }
    assert.ok(commands > 0)
  })
})
