import { inputError } from "../../core/errors.ts"
import type { ReleaseImage } from "../../core/release.ts"
import { ensureImage, type PinnedImage } from "../../docker/image.ts"
import type { ServiceDefinition } from "../../docker/stack.ts"
import type { Tools } from "../tools.ts"

/** The image that each service shall run, by service. */
export type PinnedImages = ReadonlyMap<string, PinnedImage>

/**
 * Brings every image that the services shall run onto the host, pinned, before anything is touched. `wanted` is by
 * service; what it does not name comes from the compose files. Throws an input error for a service that the app does
 * not have, or one without an image; refuses when an image is not to be had.
 */
export async function pinImages(
  tools: Tools,
  services: readonly ServiceDefinition[],
  wanted: Readonly<Record<string, string>>,
): Promise<PinnedImages> {
  const names = services.map((one) => one.name)
  const unknown = Object.keys(wanted).find((name) => !names.includes(name))
  if (unknown !== undefined) {
    throw inputError("unknown-service", `images: the app has no service ${unknown}`, {
      hint: `Its services are: ${names.join(", ")}.`,
    })
  }
  const byReference = new Map<string, PinnedImage>()
  const pinned = new Map<string, PinnedImage>()
  for (const service of services) {
    const reference = wanted[service.name] ?? service.image
    if (reference === "") {
      throw inputError("image-missing", `service ${service.name} has no image`, {
        hint: `Give it an \`image\` in the compose file, or pass \`${service.name}=reference\` in images.`,
      })
    }
    const image = byReference.get(reference) ?? (await ensureImage(tools, reference, "pull-images"))
    if (!byReference.has(reference) && image.doubt !== undefined) tools.log.warning(image.doubt)
    byReference.set(reference, image)
    pinned.set(service.name, image)
  }
  return pinned
}

/** What to start each of these services by. */
export function references(images: PinnedImages, services: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(services.map((name) => [name, pinnedOf(images, name).reference]))
}

/** For the release history. */
export function releaseImages(images: PinnedImages): readonly ReleaseImage[] {
  return [...images].map(([service, { asked, reference, id }]) => ({
    service,
    reference: asked,
    ...(reference.includes("@") ? { digest: reference } : {}),
    imageId: id,
  }))
}

export function pinnedOf(images: PinnedImages, service: string): PinnedImage {
  const image = images.get(service)
  if (!image) throw new TypeError(`no image was pinned for ${service}`)
  return image
}
