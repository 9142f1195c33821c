/** `backup-YYYYMMDD-HHMMSS`, UTC: names a backup of all services taken together. */
export function backupId(time: Date): string {
  return `backup-${digits(time, "")}`
}

/** `YYYY-MM-DD-HHMMSS`, UTC: the part of file names that tells when. */
export function backupStamp(time: Date): string {
  return digits(time, "-")
}

/** When the backup of this id began; undefined when the text is no id or names no day that exists. */
export function backupTime(id: string): Date | undefined {
  const parts = /^backup-(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)$/.exec(id)?.slice(1)
  if (!parts) return undefined
  const [year, month, day, hour, minute, second] = parts
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  // `Date` turns 31 February into 3 March; an id that does not come back is none.
  return Number.isNaN(time.getTime()) || backupId(time) !== id ? undefined : time
}

export interface ArtifactName {
  readonly service: string
  readonly stamp: string
  /** The database, or what else tells the files of one service apart; left out when there is one file only. */
  readonly part?: string
  /** With its dot: `.dump`, `.rdb`. */
  readonly extension: string
}

/** Path of an artifact, relative to the backup directory: `postgres/postgres-2026-01-31-020000-app.dump`. */
export function artifactFile(folder: string, { service, stamp, part, extension }: ArtifactName): string {
  const tail = part === undefined ? "" : `-${fileNamePart(part)}`
  return `${folder}/${fileNamePart(service)}-${stamp}${tail}${extension}`
}

/** Any text as part of a file name: letters, digits, `_`, `-` and `.` stay, other bytes become `%XX`. Distinct texts stay distinct. */
export function fileNamePart(text: string): string {
  return [...new TextEncoder().encode(text)]
    .map((byte) => (/[A-Za-z0-9_.-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : percent(byte)))
    .join("")
}

function percent(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, "0")}`
}

function digits(time: Date, separator: string): string {
  const [date = "", clock = ""] = time.toISOString().split("T")
  return `${date.replaceAll("-", separator)}-${clock.slice(0, 8).replaceAll(":", "")}`
}
