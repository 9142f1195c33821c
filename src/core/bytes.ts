const units = ["B", "KiB", "MiB", "GiB", "TiB"] as const

/** `1.4 GiB`, `512 B`: a size for a person. */
export function formatBytes(bytes: number): string {
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length - 1)
  const shown = bytes / 1024 ** power
  return `${power === 0 ? bytes : shown.toFixed(1)} ${units[power]}`
}
