import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** The checkout. */
export const root = join(import.meta.dirname, "../..")

/** Names of the actions: folders under `actions/` that have a contract. */
export function actionNames(): readonly string[] {
  const folders = readdirSync(`${root}/actions`).filter((name) => existsSync(`${root}/actions/${name}/contract.ts`))
  return folders.sort()
}

/** A temporary folder that is gone when its scope ends. */
export function scratch(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "infra-actions-build-"))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}
