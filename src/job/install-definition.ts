import { createHash } from "node:crypto"
import { posix } from "node:path"
import { messageOf } from "../core/errors.ts"
import { change, lines, sh } from "../shell/command.ts"
import type { DefinitionFile, Tools } from "./tools.ts"

/** Puts the files back that `installDefinition` replaced. */
export type PutBack = () => Promise<void>

/**
 * Brings the stack's definition on the host to what the checkout has (`compose.upload`), each file by rename, the old
 * one kept beside as `<file>.previous`. `changed` are the files that differ. Call the result when the new one turns out bad.
 */
export async function installDefinition(tools: Tools, changed: readonly DefinitionFile[]): Promise<PutBack> {
  if (changed.length === 0) return async () => {}
  for (const file of changed) {
    const path = posix.join(tools.layout.base, file.path)
    tools.log.info(`${path} is replaced by the checkout's`)
    await tools.work.step(
      "install-definition",
      change`mkdir -p -- ${posix.dirname(path)} && cat >${`${path}.next`} && chmod 644 ${`${path}.next`} && sync ${`${path}.next`} &&
if test -e ${path}; then cp -p -- ${path} ${`${path}.previous`}; else rm -f -- ${`${path}.previous`}; fi &&
mv -f -- ${`${path}.next`} ${path}`,
      { input: file.content },
    )
  }
  tools.stack.forget()
  return () => putDefinitionBack(tools, changed)
}

/** The files of the checkout's definition that the host has otherwise, or not at all. */
export async function differingFiles(tools: Tools): Promise<readonly DefinitionFile[]> {
  if (tools.definition.length === 0) return []
  const paths = tools.definition.map((file) => posix.join(tools.layout.base, file.path))
  const { stdout } = await tools.host.run(
    sh`for file in ${paths}; do if test -f "$file"; then sha256sum <"$file"; else echo none; fi; done`,
  )
  const there = stdout.split("\n").map((line) => line.split(" ")[0])
  return tools.definition.filter(({ content }, index) => there[index] !== sha256(content))
}

/** Puts back what `installDefinition` kept of these files; one that has no former state stays. A failure is told, not thrown. */
export async function putDefinitionBack(tools: Tools, files: readonly Pick<DefinitionFile, "path">[]): Promise<void> {
  if (files.length === 0) return
  const commands = files.map(({ path }) => {
    const file = posix.join(tools.layout.base, path)
    return change`if test -e ${`${file}.previous`}; then cp -p -- ${`${file}.previous`} ${`${file}.next`} && mv -f -- ${`${file}.next`} ${file}; fi`
  })
  try {
    await tools.work.step("put-definition-back", lines(change`set -e`, ...commands))
  } catch (error) {
    tools.log.warning(`The previous definition could not be put back: ${messageOf(error)}`)
  }
  tools.stack.forget()
}

function sha256(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex")
}
