import { createHash } from "node:crypto"

/** One part of an object: its number from 1, where it begins, and its length; in bytes. */
export interface Part {
  readonly number: number
  readonly from: number
  readonly bytes: number
}

const mebibyte = 1_048_576

/** More than these some stores do not take. */
export const mostParts = 1000

/**
 * The size of the parts that a file goes up in: whole MiB, at least 16, and at most 900 parts, since some stores take no
 * more than 1000 and some want all parts but the last to be equal.
 */
export function partSize(bytes: number): number {
  return Math.max(16, Math.ceil(bytes / 900 / mebibyte)) * mebibyte
}

/** The parts of a file, in order. */
export function planParts(bytes: number, size: number = partSize(bytes)): readonly Part[] {
  return Array.from({ length: Math.max(1, Math.ceil(bytes / size)) }, (_, index) => ({
    number: index + 1,
    from: index * size,
    bytes: Math.min(size, bytes - index * size),
  }))
}

/** The ETag of an object made of parts: the MD5 of their binary MD5s, and their number. */
export function compositeEtag(md5s: readonly string[]): string {
  const digests = Buffer.concat(md5s.map((md5) => Buffer.from(md5, "hex")))
  return `${createHash("md5").update(digests).digest("hex")}-${md5s.length}`
}

/** An ETag without its quotes, which some stores leave out in some answers. */
export function bareEtag(etag: string | undefined): string {
  return (etag ?? "").replace(/^"|"$/g, "")
}
