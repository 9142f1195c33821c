import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { bundle } from "../../script/build-steps/bundle.ts"
import { publish } from "../../script/build-steps/publish.ts"

/** The tree that `uses: org/infra-actions/<name>@v1` sees, in a folder of its own. */
export interface PublishedTree extends Disposable {
  readonly path: string
}

/** Writes the published tree and bundles the sources into it as they are now: a test never runs an old bundle. */
export async function publishedTree(): Promise<PublishedTree> {
  const path = mkdtempSync(join(tmpdir(), "infra-actions-tree-"))
  await publish(path)
  rmSync(join(path, "dist"), { recursive: true })
  await bundle(join(path, "dist"))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}
