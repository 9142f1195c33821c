import { readFileSync } from "node:fs"
import { registerHooks } from "node:module"

// The workflow parser imports its schema as JSON without an import attribute, which Node refuses.
registerHooks({
  load: (url, context, next) =>
    url.endsWith(".json") && context.importAttributes?.type === undefined
      ? { format: "module", source: `export default ${readFileSync(new URL(url), "utf8")}`, shortCircuit: true }
      : next(url, context),
})
