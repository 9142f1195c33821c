import { z } from "zod"
import { configSchema } from "./config.ts"

/** As much of a JSON Schema as this project reads back from its own. */
export interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly additionalProperties?: JsonSchema | boolean
  readonly [keyword: string]: unknown
}

/** The JSON Schema of `infra.yml`, for editors. Overrides of an environment are the sections with nothing required. */
export function configJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(configSchema, { io: "input", target: "draft-7" }) as JsonSchema
  const { project: _project, environments, ...sections } = schema.properties ?? {}
  const overrides = optional({ type: "object", properties: sections, additionalProperties: false })
  return {
    ...schema,
    title: "infra.yml",
    // One of the environments may give the host: the file as a whole is checked when it is read.
    required: ["project"],
    properties: { ...schema.properties, environments: { ...environments, additionalProperties: overrides } },
  }
}

/** The keys that may stand at `path` of `infra.yml`; none where any name may stand. */
export function knownKeys(path: readonly PropertyKey[]): readonly string[] {
  let schema: JsonSchema | boolean | undefined = configJsonSchema()
  for (const key of path) {
    if (typeof schema !== "object") return []
    schema = schema.properties?.[String(key)] ?? schema.additionalProperties
  }
  return typeof schema === "object" ? Object.keys(schema.properties ?? {}) : []
}

/** The same schema with nothing required at any depth, and no default: an override replaces only what it names. */
function optional(schema: JsonSchema): JsonSchema {
  const { required: _required, default: _default, properties, additionalProperties, ...rest } = schema
  return {
    ...rest,
    ...(properties && {
      properties: Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, optional(value)])),
    }),
    ...(additionalProperties !== undefined && {
      additionalProperties:
        typeof additionalProperties === "object" ? optional(additionalProperties) : additionalProperties,
    }),
  }
}
