import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { dirname, join, normalize } from "node:path/posix"
import { test } from "node:test"
import { root } from "../../script/build-steps/places.ts"

/** A source file and what it imports: a path from the root for our own, else a package's name. */
interface Source {
  readonly path: string
  readonly lines: number
  readonly imports: readonly string[]
}

/** Floors of folders, from the ground up: a file imports its own floor or a lower one. */
const floors: readonly (readonly [RegExp, number])[] = [
  [/^src\/core\//, 1],
  [/^src\/(remote|shell)\//, 2],
  [/^src\/host\//, 3],
  [/^src\/(service|storage|docker|notify)\//, 4],
  [/^src\/job\//, 5],
  [/^src\/(action|cli)\//, 6],
  [/^actions\//, 7],
]

/** Packages that only some folders may import; every other package is free for all but `src/core`. */
const corePackages = ["zod", "yaml", "ignore"]

function floorOf(path: string): number | undefined {
  return floors.find(([pattern]) => pattern.test(path))?.[1]
}

function read(): readonly Source[] {
  const files = ["src", "actions"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((file) => join(folder, file)),
  )
  return files.filter((path) => path.endsWith(".ts")).map((path) => parse(path, readFileSync(join(root, path), "utf8")))
}

function parse(path: string, text: string): Source {
  const specifiers = text.matchAll(
    /^(?:import|export)\s[^"';]*?from\s+"([^"]+)"|^import\s+"([^"]+)"|\bimport\("([^"]+)"\)/gm,
  )
  const imports = [...specifiers].map(([, from, bare, lazy]) => {
    const target = from ?? bare ?? lazy ?? ""
    return target.startsWith(".") ? normalize(join(dirname(path), target)) : packageOf(target)
  })
  return { path, lines: text.split("\n").length - 1, imports }
}

function packageOf(specifier: string): string {
  if (specifier.startsWith("node:")) return specifier
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/")
}

/** Every breach of the rules, one line each. */
function breaches(sources: readonly Source[]): readonly string[] {
  return [...sources.flatMap(breachesOf), ...cycles(sources)]
}

function breachesOf({ path, lines, imports }: Source): readonly string[] {
  const floor = floorOf(path)
  if (floor === undefined) return [`${path} stands on no floor`]
  const own = imports.filter((target) => target.endsWith(".ts"))
  const packages = imports.filter((target) => !target.endsWith(".ts"))
  return [
    ...own
      .filter((target) => (floorOf(target) ?? 99) > floor)
      .map((target) => `${path} imports ${target}, a higher floor`),
    ...own
      .filter((target) => floor === 5 && /^src\/(host\/ssh|storage\/s3)/.test(target))
      .map((target) => `${path} imports ${target}: only src/action opens these`),
    ...packages
      .filter((name) => name.startsWith("@actions/") && !path.startsWith("src/action/"))
      .map((name) => `${path} imports ${name}`),
    ...packages
      .filter((name) => floor === 1 && !corePackages.includes(name))
      .map((name) => `${path} imports ${name}: core is pure`),
    ...(lines > 250 ? [`${path} has ${lines} lines, 250 at most`] : []),
  ]
}

function cycles(sources: readonly Source[]): readonly string[] {
  const graph = new Map(sources.map(({ path, imports }) => [path, imports]))
  const done = new Set<string>()
  const found: string[] = []
  const visit = (path: string, trail: readonly string[]) => {
    if (trail.includes(path)) found.push(`cycle: ${[...trail.slice(trail.indexOf(path)), path].join(" -> ")}`)
    if (trail.includes(path) || done.has(path)) return
    for (const target of graph.get(path) ?? []) visit(target, [...trail, path])
    done.add(path)
  }
  for (const path of graph.keys()) visit(path, [])
  return found
}

test("a file imports its own floor or lower ones, in no circle, and stays short", () => {
  const sources = read()
  assert.ok(sources.length > 50, "the sources were not found")
  assert.deepEqual(breaches(sources), [])
})

test("each rule is seen when it is broken", () => {
  const planted: readonly (readonly [string, string, RegExp])[] = [
    ["src/core/a.ts", 'import { run } from "../job/b.ts"', /higher floor/],
    ["src/core/a.ts", 'import { readFile } from "node:fs/promises"', /core is pure/],
    ["src/core/a.ts", 'import type {\n  Client,\n} from "ssh2"', /core is pure/],
    ["src/job/a.ts", 'import { connectSsh } from "../host/ssh.ts"', /only src\/action/],
    ["src/job/a.ts", 'export * from "../storage/s3-store.ts"', /only src\/action/],
    ["src/cli/a.ts", 'import * as core from "@actions/core"', /imports @actions/],
    ["src/job/a.ts", 'const later = await import("../action/perform.ts")', /higher floor/],
    ["src/job/a.ts", "\n".repeat(251), /251 lines/],
    ["src/utils/a.ts", "", /no floor/],
  ]
  for (const [path, text, expected] of planted) assert.match(breaches([parse(path, text)]).join("\n"), expected, text)
  const circle = [parse("src/job/a.ts", 'import "./b.ts"'), parse("src/job/b.ts", 'import { a } from "./a.ts"')]
  assert.match(breaches(circle).join("\n"), /cycle: src\/job\/a\.ts -> src\/job\/b\.ts -> src\/job\/a\.ts/)
})
