import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { actionYaml, contractOf } from "./metadata.ts"
import { actionNames, root } from "./places.ts"

/** What a consumer needs besides the actions and their bundles; each is copied when it is there. */
const shipped = ["dist", "action-templates", "docs", ".github/workflows/pipeline.yml", "README.md", "LICENSE"]

/**
 * Writes the published tree into `directory`, which must be empty or new: `<name>/action.yml` at its root, as
 * `uses: org/infra-actions/<name>@v1` wants it. It takes the committed bundles as they are.
 */
export async function publish(directory: string): Promise<void> {
  if (existsSync(directory) && readdirSync(directory).length > 0) throw new Error(`${directory} is not empty`)
  if (!existsSync(`${root}/dist`)) throw new Error("there is no dist/: run script/build first")
  for (const path of [...shipped, "infra.schema.json"])
    if (existsSync(`${root}/${path}`)) cpSync(`${root}/${path}`, `${directory}/${path}`, { recursive: true })
  for (const name of actionNames()) {
    mkdirSync(`${directory}/${name}`, { recursive: true })
    writeFileSync(`${directory}/${name}/action.yml`, actionYaml(await contractOf(name), "../dist"))
    const readme = `${root}/actions/${name}/README.md`
    if (existsSync(readme)) cpSync(readme, `${directory}/${name}/README.md`)
  }
}
