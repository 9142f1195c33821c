import type { StackDefinition } from "../docker/stack.ts"

/** Shorter values stand in ordinary text too often to be masked everywhere. */
const shortest = 5

/**
 * Takes the stack's secrets out of texts that containers wrote: every value of an environment variable whose name says
 * that it is one, the password in every URL of the environment, and whatever looks like one in the text.
 */
export function masker(definition: StackDefinition): (text: string) => string {
  const values = definition.services.flatMap((service) => Object.entries(service.environment).flatMap(secretsIn))
  // Longest first: one secret may be a part of another.
  const secrets = [...new Set(values)].filter((value) => value.length >= shortest).sort((a, b) => b.length - a.length)
  return (text) =>
    secrets
      .reduce((masked, secret) => masked.replaceAll(secret, "***"), text)
      .replaceAll(/([a-z][a-z0-9+.-]*:\/\/[^\s:@/]*:)[^\s@/]+@/gi, "$1***@")
      .replaceAll(/\b((?:[\w-]*(?:password|passwd|secret|token|api[_-]?key))["']?\s*[=:]\s*["']?)[^\s"',;]+/gi, "$1***")
}

const telling = /pass|pwd|secret|token|key|credential|auth|private|salt|dsn/i

function secretsIn([name, value]: readonly [string, string]): readonly string[] {
  const inUrl = /^[a-z][a-z0-9+.-]*:\/\/[^\s:@/]*:([^\s@/]+)@/i.exec(value)?.[1]
  return [
    ...(telling.test(name) ? [value, encodeURIComponent(value)] : []),
    ...(inUrl === undefined ? [] : [inUrl, decode(inUrl)]),
  ]
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // Not percent-encoded: the text is the password itself.
    return text
  }
}
