import { z } from "zod"
import { failure, refusal } from "../core/errors.ts"
import { CommandError, type Host } from "../host/host.ts"
import type { Work } from "../host/work.ts"
import { change, sh } from "../shell/command.ts"
import { askEngine, engineError, limited } from "./engine.ts"
import type { Container } from "./stack.ts"

export interface ImageFacts {
  /** The image's id on this host; another host or image store may give it another one. */
  readonly id: string
  /** `repository@sha256:...`, one for each repository it was pulled from or pushed to; empty when built here. */
  readonly digests: readonly string[]
  readonly tags: readonly string[]
}

/** An image that is on the host, with the reference by which it is started: the same bytes whatever tags do. */
export interface PinnedImage extends ImageFacts {
  /** As it was asked for. */
  readonly asked: string
  /** `repository@sha256:...` where there is a digest, else the id. */
  readonly reference: string
  /** Why the reference is less sure than it looks; undefined when it is sure. */
  readonly doubt: string | undefined
}

/** What the engine knows of an image, by any reference or id; undefined when it has none such. */
export async function inspectImage(host: Host, reference: string): Promise<ImageFacts | undefined> {
  const format = '{"id":{{json .Id}},"digests":{{json .RepoDigests}},"tags":{{json .RepoTags}}}'
  const command = sh`${limited} docker image inspect --format ${format} ${reference}`
  const result = await askEngine(host, command, { allow: [0, 1] })
  if (result.code === 0) return factsSchema.parse(JSON.parse(result.stdout))
  // Code 1 stands for "no such image" and for "no daemon" alike; only the words tell them apart.
  if (/no such image/i.test(result.stderr)) return undefined
  throw engineError(result, host.name) ?? new CommandError(result)
}

/** The image that a container runs: read from the container's image id, not from the name it was started by. */
export async function imageOf(host: Host, container: Container): Promise<PinnedImage> {
  const facts = await inspectImage(host, container.imageId)
  if (!facts) {
    throw failure(
      "image-gone",
      `the image that ${container.name} runs (${container.imageId}) is no longer on ${host.name}`,
    )
  }
  return pin(container.image, facts)
}

/**
 * Brings an image onto the host and pins it. A reference with a digest is taken from the host when it is there, else
 * pulled; a tag is always asked of its registry, because tags move, and the host's own copy is used, with a doubt,
 * when no registry knows it. Refuses with `image-unavailable` when neither has it. `step` names the pull.
 */
export async function ensureImage(
  { host, work }: { readonly host: Host; readonly work: Work },
  reference: string,
  step: string,
): Promise<PinnedImage> {
  const local = await inspectImage(host, reference)
  if (local && isFixed(reference)) return pin(reference, local)
  const problem = await pull(work, reference, step)
  const found = await work.check(
    `inspect ${reference}`,
    () => inspectImage(host, reference),
    local ?? assumed(reference),
  )
  if (!found) {
    throw refusal(
      "image-unavailable",
      `the image ${reference} is not on ${host.name} and cannot be pulled${problem ? `: ${problem}` : ""}`,
      {
        hint: "Push the image, correct its reference, or log the host in to its registry with `docker login`. Nothing was changed.",
      },
    )
  }
  const pinned = pin(reference, found)
  return problem
    ? { ...pinned, doubt: `${reference} could not be asked of its registry (${problem}); the host's own copy is used` }
    : pinned
}

/** Whether a reference names bytes rather than a tag that may move. */
export function isFixed(reference: string): boolean {
  return /(^|@)sha256:[0-9a-f]{64}$/.test(reference)
}

/** The repository of a reference: without tag and digest. A port of the registry is no tag. */
export function repositoryOf(reference: string): string {
  return reference.replace(/@sha256:[0-9a-f]+$/, "").replace(/:[^:/]+$/, "")
}

/** Picks the reference that means the same bytes tomorrow: the digest in the asked repository, else any digest, else the id. */
export function pin(asked: string, facts: ImageFacts): PinnedImage {
  const repository = repositoryOf(asked)
  const reference =
    (facts.digests.includes(asked) ? asked : undefined) ??
    facts.digests.find((digest) => sameRepository(repositoryOf(digest), repository)) ??
    facts.digests[0] ??
    facts.id
  return { ...facts, asked, reference, doubt: undefined }
}

const factsSchema = z.object({
  id: z.string().regex(/^sha256:/),
  digests: z
    .array(z.string())
    .nullable()
    .transform((list) => list ?? []),
  tags: z
    .array(z.string())
    .nullable()
    .transform((list) => list ?? []),
})

/** Docker Hub's names have a short and a long form. */
function sameRepository(a: string, b: string): boolean {
  const short = (name: string) => name.replace(/^(docker\.io\/|index\.docker\.io\/)/, "").replace(/^library\//, "")
  return short(a) === short(b)
}

/** The registry's answer when it has no such image or cannot be reached; undefined when pulled. */
async function pull(work: Work, reference: string, step: string): Promise<string | undefined> {
  try {
    await work.step(step, change`docker pull --quiet ${reference}`, { timeout: 15 * 60_000 })
    return undefined
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    return error.result.stderr.trim().split("\n").at(-1) || error.message
  }
}

/** What a dry run takes for an image that would have to be pulled first; no image has this id. */
function assumed(reference: string): ImageFacts {
  return { id: `sha256:${"0".repeat(64)}`, digests: isFixed(reference) ? [reference] : [], tags: [reference] }
}
