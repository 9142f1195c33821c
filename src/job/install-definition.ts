import { createHash } from "node:crypto"
import { posix } from "node:path"
import { z } from "zod"
import { messageOf } from "../core/errors.ts"
import type { Layout } from "../core/layout.ts"
import { type Command, change, lines, sh } from "../shell/command.ts"
import { forgetNote, readNote, writeNote } from "./read-note.ts"
import type { DefinitionFile, Tools } from "./tools.ts"

const installedSchema = z.array(z.object({ path: z.string(), sha256: z.string() }))

/** A file that came with a recreation which has not ended yet, and what it then holds. */
export type InstalledFile = z.output<typeof installedSchema>[number]

/** Puts the files back that `installDefinition` replaced. */
export type PutBack = () => Promise<void>

/**
 * Brings the stack's definition on the host to what the checkout has (`compose.upload`), each file by rename, the old
 * one kept beside as `<file>.previous`. `changed` are the files that differ. Call the result when the new one turns out bad.
 * Until then, or until the app starts on what the definition made, a note of them lies on the host for the next run.
 */
export async function installDefinition(tools: Tools, changed: readonly DefinitionFile[]): Promise<PutBack> {
  if (changed.length === 0) return async () => {}
  const installed = changed.map(({ path, content }) => ({ path, sha256: sha256(content) }))
  await tools.work.step("note-definition", noteInstalled(tools.layout, installed))
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
  return () => putDefinitionBack(tools, installed)
}

/** What a recreation that has not ended brought; none as a rule. */
export async function readInstalled(tools: Pick<Tools, "host" | "layout">): Promise<readonly InstalledFile[]> {
  return (await readNote(tools, noteFile(tools.layout), installedSchema)) ?? []
}

/** Shell text that ends it: what was installed stays, or is taken back. */
export function forgetInstalled(layout: Pick<Layout, "state">): Command {
  return forgetNote(noteFile(layout))
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

/**
 * Puts back what `installDefinition` kept of these files. One that has no former state stays, and so does one that is not
 * what was installed: what lies beside it is older. A failure is told, not thrown.
 */
export async function putDefinitionBack(tools: Tools, files: readonly InstalledFile[]): Promise<void> {
  if (files.length === 0) return
  const commands = files.map(({ path, sha256: installed }) => {
    const file = posix.join(tools.layout.base, path)
    return change`if test -e ${`${file}.previous`} && test "$(sha256sum <${file} | cut -d ' ' -f 1)" = ${installed}; then cp -p -- ${`${file}.previous`} ${`${file}.next`} && mv -f -- ${`${file}.next`} ${file}; fi`
  })
  try {
    await tools.work.step("put-definition-back", lines(change`set -e`, ...commands, forgetInstalled(tools.layout)))
  } catch (error) {
    tools.log.warning(`The previous definition could not be put back: ${messageOf(error)}`)
  }
  tools.stack.forget()
}

function noteInstalled(layout: Pick<Layout, "state">, files: readonly InstalledFile[]): Command {
  return writeNote(noteFile(layout), files)
}

function noteFile({ state }: Pick<Layout, "state">): string {
  return `${state}/definition.json`
}

function sha256(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex")
}
