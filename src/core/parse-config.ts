import { closest } from "./closest.ts"
import { type Config, configSchema, overridableSections } from "./config.ts"
import { type ConfigProblem, problemsOf, unknownKey, valueAt } from "./config-problem.ts"
import { inputError } from "./errors.ts"
import { s3FromVariables, s3VariableNames, type Variables } from "./s3-variables.ts"
import { readYaml, type YamlSource } from "./yaml-source.ts"

export interface ParseConfigOptions {
  /** How the file is called in messages. */
  readonly file: string
  /** Whose overrides apply; when the file has environments it must be one of them. `production` unless told. */
  readonly environment?: string
  /** `S3_*` environment variables, taken when the file has no `backup.s3`. */
  readonly variables?: Variables
}

/** An environment's name becomes a directory on the host. */
const namePattern = /^[a-z0-9][a-z0-9_-]*$/
const byPlace = new Intl.Collator("en", { numeric: true }).compare

type Section = Readonly<Record<string, unknown>>

/**
 * Reads `infra.yml` for one environment. The overrides of every environment are checked, not only of the one asked for.
 * Throws `input` `config-invalid` with all problems at once, each as `file:line:column path: problem (expected ...)`,
 * or `environment-unknown`. No message holds a value of the file.
 */
export function parseConfig(
  text: string,
  { file, environment = "production", variables = {} }: ParseConfigOptions,
): Config {
  const source = readYaml(text, file)
  const root = asSection(source.data)
  if (!root) throw invalid([`${file}:1:1 is no configuration (expected keys such as project and host)`], file)
  const environments = asSection(root.environments) ?? {}
  const names = Object.keys(environments)
  const s3 = s3FromVariables(variables)
  const lines = new Set(s3.problems.map(({ path, message }) => `${path.join(".")} ${message}`))
  let chosen: Config | undefined
  for (const name of names.length === 0 ? [environment] : names) {
    const merged = mergeEnvironment(root, name, s3.section)
    const { config, problems } = check(merged.data, name)
    for (const problem of problems)
      lines.add(describe(problem, source, { name, s3FromVariables: merged.s3FromVariables }))
    for (const { path, message } of names.length === 0 ? [] : overrideProblems(environments, name)) {
      lines.add(`${source.locate(path).place} ${path.map(String).join(".")}: ${message}`)
    }
    if (name === environment) chosen = config
  }
  if (lines.size > 0) throw invalid([...lines].sort(byPlace), file)
  if (!namePattern.test(environment)) throw unknownEnvironment(environment, names, file)
  if (!chosen) throw unknownEnvironment(environment, names, file)
  return chosen
}

/** Sections deep-merged: a map over a map key by key, anything else replaces. */
function merge(base: unknown, over: unknown): unknown {
  const [below, above] = [asSection(base), asSection(over)]
  if (!below || !above) return over === undefined ? base : over
  const keys = new Set([...Object.keys(below), ...Object.keys(above)])
  return Object.fromEntries([...keys].map((key) => [key, merge(below[key], above[key])]))
}

function mergeEnvironment(root: Section, name: string, s3: Section | undefined) {
  const { environments, ...base } = root
  const overrides = Object.entries(asSection(asSection(environments)?.[name]) ?? {})
  const known = Object.fromEntries(overrides.filter(([key]) => overridableSections.includes(key)))
  const data = merge(withoutEmpty(base), withoutEmpty(known)) as Section
  // A file whose `environments` is no section keeps it, so that this is reported.
  const odd = environments !== null && environments !== undefined && !asSection(environments) ? { environments } : {}
  const s3FromVariables = s3 !== undefined && valueAt(data, ["backup", "s3"]) === undefined
  return {
    data: { ...(s3FromVariables ? (merge(data, { backup: { s3 } }) as Section) : data), ...odd },
    s3FromVariables,
  }
}

/** A section or service with nothing below it (`lock:`) is one without settings of its own. */
function withoutEmpty(section: Section): Section {
  return Object.fromEntries(
    Object.entries(section)
      .filter(([, value]) => value !== null)
      .map(([key, value]) => {
        const services = key === "services" ? asSection(value) : undefined
        const filled = services && Object.entries(services).map(([name, one]) => [name, one ?? {}])
        return [key, filled ? Object.fromEntries(filled) : value]
      }),
  )
}

function check(data: Section, environment: string): { config?: Config; problems: readonly ConfigProblem[] } {
  const parsed = configSchema.safeParse(data)
  if (!parsed.success) return { problems: parsed.error.issues.flatMap((issue) => problemsOf(issue, data)) }
  const { environments: _environments, ...sections } = parsed.data
  return { config: { ...sections, environment }, problems: [] }
}

function overrideProblems(environments: Section, name: string): readonly ConfigProblem[] {
  const path = ["environments", name]
  if (!namePattern.test(name)) {
    return [{ path, message: "is no name (expected lower-case letters, digits, - and _)" }]
  }
  const over = environments[name]
  if (over === undefined || over === null) return []
  const section = asSection(over)
  if (!section) return [{ path, message: "is of the wrong type (expected sections such as host and backup)" }]
  const fixed = `cannot differ between environments (expected one of ${overridableSections.join(", ")})`
  return Object.keys(section)
    .filter((key) => !overridableSections.includes(key))
    .map((key) => ({
      path: [...path, key],
      message: key === "project" || key === "environments" ? fixed : unknownKey(key, overridableSections),
    }))
}

/** Where a problem of the merged sections stands: in the override when that names it, else in the file's own section. */
function describe(
  { path, message }: ConfigProblem,
  source: YamlSource,
  { name, s3FromVariables }: { name: string; s3FromVariables: boolean },
): string {
  const variable = s3FromVariables && path[0] === "backup" && path[1] === "s3" && s3VariableNames[String(path[2])]
  if (variable) return `${variable} ${message}`
  const inBase = source.locate(path)
  const overridePath = ["environments", name, ...path]
  const inOverride = source.locate(overridePath)
  const whole = inOverride.depth === overridePath.length
  // What is missing is looked for next to what is there: in the override only when the section stands nowhere else.
  const nearer = inBase.depth < path.length && inOverride.depth - 2 > inBase.depth
  return whole || nearer
    ? `${inOverride.place} ${overridePath.map(String).join(".")}: ${message}`
    : `${inBase.place} ${path.map(String).join(".")}: ${message}`
}

function invalid(lines: readonly string[], file: string) {
  const head = lines.length === 1 ? "" : `${lines.length} problems in the configuration:\n`
  const ofFile = `Correct ${file}; infra.schema.json describes every key and lets an editor check it.`
  const ofVariables = "Set the variables that are named right, or leave S3_ENABLED out."
  const named = lines.map((line) => /^S3_[A-Z_]+ /.test(line))
  const hints = [...(named.includes(false) ? [ofFile] : []), ...(named.includes(true) ? [ofVariables] : [])]
  return inputError("config-invalid", head + lines.join("\n"), { hint: hints.join(" ") })
}

function unknownEnvironment(environment: string, names: readonly string[], file: string) {
  const expected = names.length > 0 ? `one of ${names.join(", ")}` : "lower-case letters, digits, - and _"
  const suggestion = closest(environment, names)
  return inputError(
    "environment-unknown",
    `input environment: "${environment}" is no environment of ${file} (expected ${expected})`,
    {
      hint: suggestion ? `Did you mean ${suggestion}?` : `Add it under environments in ${file}, or give another name.`,
    },
  )
}

function asSection(value: unknown): Section | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Section) : undefined
}
