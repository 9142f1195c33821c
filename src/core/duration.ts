import { z } from "zod"

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** Milliseconds of `90s`, `10m`, `1h30m`, `500ms`, `2d`; undefined when the text is none. */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d+(ms|s|m|h|d))+$/.test(text)) return undefined
  return [...text.matchAll(/(\d+)(ms|s|m|h|d)/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * units[unit as keyof typeof units],
    0,
  )
}

/** `1h 30m`, `12.3s`, `450ms`: the two largest units that matter. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.round(milliseconds)}ms`
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1)}s`
  const minutes = Math.floor(milliseconds / 60_000)
  if (minutes < 60) return `${minutes}m ${Math.floor((milliseconds % 60_000) / 1000)}s`
  return `${Math.floor(minutes / 60)}h ${minutes % 60}m`
}

/** A duration in a file or an input: `90s` or plain milliseconds. Reads to milliseconds. */
export const duration = z.union([z.int().min(0), z.string()]).transform((value, context) => {
  const parsed = typeof value === "number" ? value : parseDuration(value)
  if (parsed === undefined) context.addIssue({ code: "custom", message: "use a duration such as 90s, 10m or 1h30m" })
  return parsed ?? z.NEVER
})
