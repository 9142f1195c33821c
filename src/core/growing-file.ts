/** A file of a backup while it is being written: under `<file>.partial` until it is whole and proven, then under its name. */
export interface GrowingFile {
  /** The backup's. */
  readonly id: string
  /** Path relative to the backup directory. */
  readonly file: string
  /** Bytes that it will hardly be larger than. */
  readonly estimate: number
}
