/** A file of a backup while it is being written: under `<file>.partial`, with `<file>.partial.written` beside it once all is there, until it is proven; then under its name. */
export interface GrowingFile {
  /** The backup's. */
  readonly id: string
  /** Path relative to the backup directory. */
  readonly file: string
  /** Bytes that it will hardly be larger than. */
  readonly estimate: number
}
