import { failure } from "../../core/errors.ts"
import type { Release, ReleaseImage } from "../../core/release.ts"
import { deployedImagesFile, imagesOverride } from "../../docker/compose-command.ts"
import { repositoryOf } from "../../docker/image.ts"
import { change, lines } from "../../shell/command.ts"
import { writeText } from "../note.ts"
import { recordRelease } from "../release-history.ts"
import type { Tools } from "../tools.ts"
import type { PinnedImages } from "./pinned-images.ts"
import { references } from "./pinned-images.ts"
import { forgetUnfinished, keepUnfinished, type UnfinishedNote } from "./unfinished-note.ts"

type Named = Pick<Release, "id" | "commit">

/**
 * Keeps the release's images for a rollback by a tag of their own (a tag beside the digest keeps both from being
 * pruned), and makes them what every later `up` starts.
 */
export async function keepImages(
  tools: Tools,
  { release, images }: { readonly release: Named; readonly images: PinnedImages },
): Promise<void> {
  const tags = [...images.values()].flatMap((image) => {
    const repository = repositoryOf(image.asked)
    // An image asked for by its bare id has no repository to be tagged in.
    return /^(sha256|[0-9a-f]{64}$)/.test(repository)
      ? []
      : [change`docker tag ${image.id} ${`${repository}:release-${release.id}`} || exit`]
  })
  const file = deployedImagesFile(tools.config)
  const override = imagesOverride(references(images, [...images.keys()]))
  await tools.work.step("tag-release", lines(...tags, writeText(file, override)))
}

/** The last act of a deployment: the note of an unfinished one goes away with it. */
export async function recordGood(
  tools: Tools,
  { release, images }: { readonly release: Named; readonly images: readonly ReleaseImage[] },
): Promise<void> {
  await recordRelease(tools, { ...entry(tools, release, images), status: "good" }, forgetUnfinished(tools.layout))
}

interface Bad {
  readonly release: Named
  readonly images: readonly ReleaseImage[]
  readonly why: string
  /** The earlier deployment that was not ended before this one began: what it left is there as it was. */
  readonly unsettled: UnfinishedNote | undefined
}

/** Recorded too, so that nobody goes back to it; its note of an unfinished deployment goes away with it. */
export async function recordBad(tools: Tools, { release, images, why, unsettled }: Bad): Promise<void> {
  const bad = { ...entry(tools, release, images), status: "bad", note: oneLine(why) } as const
  const end = unsettled ? keepUnfinished(tools.layout, unsettled) : forgetUnfinished(tools.layout)
  await recordRelease(tools, bad, end)
}

function entry(tools: Tools, release: Named, images: readonly ReleaseImage[]): Omit<Release, "status"> {
  if (images.length === 0) throw failure("no-images", "a release without images cannot be recorded")
  return {
    format: 1,
    id: release.id,
    kind: "deploy",
    time: tools.clock.now().toISOString(),
    commit: release.commit,
    images: [...images],
    run: { id: tools.run.id, url: tools.run.url, actor: tools.run.actor },
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").slice(0, 500)
}
