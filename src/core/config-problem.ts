import type { z } from "zod"
import { closest } from "./closest.ts"
import { knownKeys } from "./config-json-schema.ts"

/** What is wrong at one place of the configuration. Never holds the value that stands there. */
export interface ConfigProblem {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

const secretName = /secret|password|passphrase|passwd|token|credential|(access|private|api|ssh)[-_]?key/i

/** The problems of one zod issue: one for each unknown key, else one. */
export function problemsOf(issue: z.core.$ZodIssue, data: unknown): readonly ConfigProblem[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ path: [...issue.path, key], message: unknownKey(key, knownKeys(issue.path)) }))
  }
  const message = valueAt(data, issue.path) === undefined ? missing(issue) : wrong(issue)
  return [{ path: issue.path, message }]
}

/** The value at a path; undefined when nothing is there. */
export function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, key)
        ? (value as Record<PropertyKey, unknown>)[key]
        : undefined,
    data,
  )
}

/** What to say of a key that may not stand where it does. */
export function unknownKey(key: string, known: readonly string[]): string {
  if (secretName.test(key)) {
    return "a secret does not belong in this file: pass it as an input of the action (expected no secrets here)"
  }
  const suggestion = closest(key, known)
  const meant = suggestion ? `, did you mean ${suggestion}?` : ""
  return `unknown key${meant} (expected one of ${known.join(", ")})`
}

function missing(issue: z.core.$ZodIssue): string {
  return `is missing (expected ${issue.code === "invalid_type" ? kind(issue.expected) : "a value"})`
}

/** What to say of a value that is there and cannot be taken; reads on after its name. */
export function wrong(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return `is of the wrong type (expected ${kind(issue.expected)})`
    case "invalid_value":
      return `is not one of the known values (expected one of ${issue.values.map(String).join(", ")})`
    case "too_small":
      return `is too small (expected at least ${issue.minimum}${unit(issue.origin)})`
    case "too_big":
      return `is too big (expected at most ${issue.maximum}${unit(issue.origin)})`
    case "invalid_union":
      return "is of the wrong type (expected a duration such as 90s, 10m or 1h30m, or whole milliseconds)"
    case "invalid_format":
      return issue.format === "url"
        ? "is no URL (expected one such as https://example.org/health)"
        : `is malformed: ${issue.message}`
    default:
      return `is not valid: ${issue.message}`
  }
}

function kind(expected: string): string {
  const names: Readonly<Record<string, string>> = {
    string: "text",
    int: "a whole number",
    number: "a number",
    boolean: "true or false",
    array: "a list",
    object: "a section with keys of its own",
    record: "a section with keys of its own",
  }
  return names[expected] ?? expected
}

function unit(origin: string): string {
  if (origin === "string") return " characters"
  return origin === "array" ? " entries" : ""
}
