import assert from "node:assert/strict"
import { globSync, readFileSync } from "node:fs"
import { test } from "node:test"

const usesSha256 = (name: string) =>
  /^[^#]*\bsha256 </m.test(readFileSync(new URL(`../../src/remote/${name}.sh`, import.meta.url), "utf8"))

test("a script that takes SHA-256s is never sent without the function that does", () => {
  assert.deepEqual([usesSha256("store-verify"), usesSha256("store-list")], [true, false])
  const root = new URL("../../src/", import.meta.url)
  const bare = globSync("**/*.ts", { cwd: root }).flatMap((file) =>
    [...readFileSync(new URL(file, root), "utf8").matchAll(/remoteScript\("([a-z0-9-]+)"\)/g)].map(
      ([, name = ""]) => `${name} in ${file}`,
    ),
  )
  assert.ok(bare.length > 30)
  assert.deepEqual(
    bare.filter((one) => usesSha256(one.split(" ")[0] ?? "")),
    [],
  )
})
