import { dirname } from "node:path/posix"
import type { DrillRecord } from "../../core/drill-record.ts"
import { failure } from "../../core/errors.ts"
import type { Manifest } from "../../core/manifest.ts"
import { artifactsOf } from "../../core/manifest-contents.ts"
import { askEngine, limited } from "../../docker/engine.ts"
import { change, sh } from "../../shell/command.ts"
import type { BackupStore } from "../../storage/backup-store.ts"
import { artifactFiles } from "../../storage/manifest-file.ts"
import { assertWhole, wrongFiles } from "../../storage/stored-files.ts"
import { remoteStore } from "../stores.ts"
import type { Tools } from "../tools.ts"
import type { DrillPair } from "./restore-into-scratch.ts"
import { imageOf, scratchFolder } from "./scratch.ts"

/** An hour: the longest that one image may take to the runner. */
const imageLimit = 3_600_000

/** As long for reading all bytes of a backup. */
const sumLimit = 3_600_000

/** The tools of the machine whose Docker runs the throw-away servers. Throws when Docker does not answer there. */
export async function groundOf(tools: Tools, where: DrillRecord["where"] = "host"): Promise<Tools> {
  if (where === "host") return tools
  const { runner } = tools
  if (!runner) throw new TypeError("the runner's tools were not opened")
  await askEngine(runner.host, sh`${limited} docker version --format '{{.Server.Version}}'`)
  return runner
}

/**
 * Brings each image that a service runs to the runner, as it is on the host and not as a registry has it by now. One
 * that is there already, by its id, is not sent.
 */
export async function bringImages(tools: Tools, there: Tools, pairs: readonly DrillPair[]): Promise<void> {
  const images = [...new Set(pairs.map(({ one }) => imageOf(one)))]
  for (const image of images) {
    if (await hasImage(there, image)) continue
    tools.log.info(`Sending the image ${image.slice(0, 19)} to the runner`)
    if (tools.work.dryRun) continue
    const source = tools.host.stream(sh`docker save ${image}`, { timeout: imageLimit, signal: tools.signal })
    const load = there.work.step("bring-image", change`docker load`, { input: source.stdout, timeout: imageLimit })
    await Promise.all([source.done, load])
    if (!(await hasImage(there, image)))
      throw failure(
        "image-differs",
        `the runner's Docker gave the image ${image} another id: it cannot be drilled there`,
      )
  }
}

/** Fetches the files to the runner, from S3 directly, from the host over the connection; returns when all are proven. */
export async function bringThere(
  tools: Tools,
  there: Tools,
  { manifest, store }: { readonly manifest: Manifest; readonly store: BackupStore },
): Promise<string> {
  const folder = scratchFolder(there)
  if (store.name === "s3") {
    await remoteStore(there.stores)?.fetch(manifest, there.work, folder)
    return folder
  }
  const files = artifactFiles(manifest)
  const folders = [...new Set(files.map((file) => `${folder}/${dirname(file)}`))]
  await there.work.step("bring-files", change`umask 077; mkdir -p ${folders}`)
  if (there.work.dryRun) return folder
  for (const file of files)
    await there.host.upload(
      tools.host.download(`${tools.layout.backups}/${file}`, { signal: tools.signal }),
      `${folder}/${file}`,
      { signal: tools.signal },
    )
  assertWhole(manifest.id, await wrongFiles(there.host, folder, artifactsOf(manifest), sumLimit))
  return folder
}

async function hasImage({ host }: Tools, image: string): Promise<boolean> {
  const found = await host.run(sh`docker image inspect --format '{{.Id}}' ${image}`, { allow: "any" })
  return found.code === 0
}
