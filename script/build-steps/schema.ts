import { writeFileSync } from "node:fs"
import { configJsonSchema } from "../../src/core/config-json-schema.ts"

/** Writes the JSON Schema of `infra.yml`, with which an editor checks it. */
export function writeSchema(directory: string): void {
  writeFileSync(`${directory}/infra.schema.json`, `${JSON.stringify(configJsonSchema(), undefined, 2)}\n`)
}
