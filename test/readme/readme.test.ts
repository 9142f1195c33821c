import assert from "node:assert/strict"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { pathToFileURL } from "node:url"

const root = join(import.meta.dirname, "../..")
const readme = readFileSync(join(root, "README.md"), "utf8")

test("what the README shows of a template is the template", () => {
  const shown = [...readme.matchAll(/<!-- (\S+) -->\n```yaml\n([\s\S]*?)```/g)]
  assert.equal(shown.length, 2)
  for (const [, path, text] of shown) assert.equal(text, readFileSync(join(root, String(path)), "utf8"), path)
})

test("every file that the README links to is there", () => {
  const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, path]) => String(path))
  assert.ok(links.length > 5)
  for (const path of links) assert.ok(existsSync(new URL(path, pathToFileURL(`${root}/`))), path)
})

test("the consumer's workflow and configuration are as short as promised", () => {
  const lines = (name: string) =>
    readFileSync(join(root, "action-templates", name), "utf8")
      .trimEnd()
      .split("\n").length
  assert.ok(lines("deploy.yml") <= 26)
  assert.ok(lines("infra.yml") <= 10)
})
