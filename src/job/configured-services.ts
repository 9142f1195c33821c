import { closest } from "../core/closest.ts"
import type { Config } from "../core/config.ts"
import { inputError } from "../core/errors.ts"
import type { Tools } from "./tools.ts"

/**
 * Throws the input error `unknown-service` when the configuration has settings for a service that the compose files, of
 * whatever profile, do not have: its critical tables and sample queries would never be looked at, and nobody would know.
 */
export async function assertConfigured({ stack, config }: Pick<Tools, "stack" | "config">): Promise<void> {
  const known = (await stack.definition()).services.map((one) => one.name)
  const unknown = unknownServices(config, known)
  if (unknown.length === 0) return
  throw inputError("unknown-service", unknown.join("\n"), {
    hint: `Correct the configuration, or add the service to the compose files. They have: ${known.join(", ")}.`,
  })
}

/**
 * The same where the compose files on the host are the ones that stay. With `compose.upload` the next recreate may bring the
 * service: it asks then, of the files that it brings, and until then a backup goes on and says so.
 */
export async function lookConfigured({ stack, config, log }: Pick<Tools, "stack" | "config" | "log">): Promise<void> {
  if (config.compose.upload.length === 0) return assertConfigured({ stack, config })
  const known = (await stack.definition()).services.map((one) => one.name)
  for (const one of unknownServices(config, known)) log.warning(`${one}; unless the next recreate brings it`)
}

/** A sentence for each service that is configured and is none of `known`. */
export function unknownServices({ services, app }: Pick<Config, "services" | "app">, known: readonly string[]) {
  const named = [
    ...Object.keys(services).map((name) => ({ name, place: `services.${name}` })),
    ...(app.services ?? []).map((name) => ({ name, place: "app.services" })),
  ]
  return named
    .filter(({ name }) => !known.includes(name))
    .map(({ name, place }) => {
      const meant = closest(name, known)
      return `${place}: the compose files have no service ${name}${meant ? `, did you mean ${meant}?` : ""}`
    })
}
