import { messageOf } from "../core/errors.ts"
import type { ServiceBackup } from "../core/manifest.ts"
import { inspectImage } from "../docker/image.ts"
import { noteDump } from "./clean-leftovers.ts"
import { isOurs } from "./is-ours.ts"
import { isKeyStore } from "./lost-data.ts"
import { containerOf, type StackService } from "./stack-services.ts"
import type { Tools } from "./tools.ts"

/**
 * Dumps a running store of keys that gets another image, once nobody writes to it: what a newer version saves, the previous
 * one may not read. Undefined for any other service, and, with a warning, where it cannot be dumped: it is one way back more.
 */
export async function dumpKeys(tools: Tools, one: StackService): Promise<ServiceBackup | undefined> {
  if (!isKeyStore(one)) return undefined
  const image = await inspectImage(tools.host, one.definition.image)
  if (!image || image.id === containerOf(one).imageId) return undefined
  const { name } = one.service
  try {
    const target = await noteDump(tools, name, { kept: "while-stopped" })
    return await one.driver.backup?.(one.service, containerOf(one), target, tools.work)
  } catch (error) {
    if (!isOurs(tools, error)) throw error
    tools.log.warning(
      `${name} could not be dumped as it is stopped: ${messageOf(error)}. If its new image serves, and has to give way after that to one that cannot read what it saved, there is only the backup of this run.`,
    )
    return undefined
  }
}

/** Those of the dumps that `dumpKeys` made. */
export function ofKeys(dumps: ReadonlyMap<string, ServiceBackup>): Readonly<Record<string, ServiceBackup>> {
  return Object.fromEntries([...dumps].filter(([, { contents }]) => contents.kind !== "postgres"))
}

/** Tells a person where they are, once nobody of ours needs them any more or can use them. */
export function tellDumps({ layout, log }: Tools, dumps: Readonly<Record<string, ServiceBackup>>): void {
  for (const { service, artifacts } of Object.values(dumps)) {
    const files = artifacts.map(({ file }) => `${layout.backups}/${file}`).join(", ")
    log.warning(
      `What ${service} held when it was stopped, after the backup, is in ${files}, as its previous image reads it. That is kept until the app has run again for a day.`,
    )
  }
}
