import assert from "node:assert/strict"
import { test } from "node:test"
import { sortChanges, uselessPatterns } from "../../src/core/changes.ts"

const paths = {
  infra: ["docker/", "docker-compose*.yml"],
  app: ["src/", "package.json"],
  migrations: ["prisma/migrations/"],
}

test("a folder's pattern means all in it, a bare name means any depth", () => {
  const files = [
    "docker/postgres/Dockerfile",
    "docker-compose.prod.yml",
    "deploy/docker-compose.yml",
    "src/a.ts",
    "README.md",
  ]
  assert.deepEqual(sortChanges(files, paths), {
    infra: ["docker/postgres/Dockerfile", "docker-compose.prod.yml", "deploy/docker-compose.yml"],
    app: ["src/a.ts"],
    migrations: [],
  })
})

test("migrations are neither infra nor app", () => {
  const wide = { ...paths, app: ["**"], infra: ["prisma/"] }
  assert.deepEqual(sortChanges(["prisma/migrations/1/up.sql", "prisma/schema.prisma"], wide), {
    infra: ["prisma/schema.prisma"],
    app: ["prisma/schema.prisma"],
    migrations: ["prisma/migrations/1/up.sql"],
  })
})

test("patterns read as in .gitignore: exclusions, roots, brackets, case", () => {
  const app = (patterns: readonly string[], ...files: readonly string[]) =>
    sortChanges(files, { infra: [], app: [...patterns], migrations: [] }).app
  assert.deepEqual(app(["src/**", "!src/**/*.md"], "src/a.ts", "src/docs/b.md", "zzz/unrelated.ts"), ["src/a.ts"])
  assert.deepEqual(app(["!src/"], "src/a.ts", "other.ts"), [])
  assert.deepEqual(app(["/infra.yml"], "infra.yml", "docs/infra.yml"), ["infra.yml"])
  assert.deepEqual(app(["*.md"], "README.md", "docs/a.md"), ["README.md", "docs/a.md"])
  assert.deepEqual(app(["Src/"], "src/a.ts"), [])
  assert.deepEqual(app(["app/(a|b)/"], "app/(a|b)/page.tsx", "app/a/page.tsx"), ["app/(a|b)/page.tsx"])
  assert.deepEqual(app(["src/"], "src/Übersicht.ts", "src/with space.ts", "src/\n.ts"), [
    "src/Übersicht.ts",
    "src/with space.ts",
    "src/\n.ts",
  ])
})

test("no pattern matches nothing, and no file is no change", () => {
  assert.deepEqual(sortChanges(["a"], { infra: [], app: [], migrations: [] }), { infra: [], app: [], migrations: [] })
  assert.deepEqual(sortChanges([], paths), { infra: [], app: [], migrations: [] })
})

test("patterns that cannot match as meant are named", () => {
  const useless = uselessPatterns(["./src/", "../x", "#1", "src/", "!src/*.md", " "])
  assert.deepEqual(
    useless.map(({ pattern }) => pattern),
    ["./src/", "../x", "#1", " "],
  )
  assert.equal(uselessPatterns(["!a", "!b"]).length, 2)
})
