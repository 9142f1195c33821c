/** The bytes that mean something in SQL, and in psql. */
export const newline = 10
export const backslash = 92 // \
export const quote = 39 // '
export const double = 34 // "
export const dollar = 36 // $
export const dash = 45 // -
export const slash = 47 // /
export const star = 42 // *
export const semicolon = 59 // ;
export const open = 40 // (
export const close = 41 // )
export const dot = 46 // .

/** White space between words. */
export function isSpace(byte: number): boolean {
  return byte === 32 || (byte >= 9 && byte <= 13)
}

/** May this byte stand in a name? */
export function isWord(byte: number): boolean {
  return (byte >= 48 && byte <= 57) || isTag(byte, 1) || byte === dollar
}

/** May this byte stand in a tag, `$tag$`, at this place? Its first one may not be a digit. */
export function isTag(byte: number, place: number): boolean {
  if (byte >= 48 && byte <= 57) return place > 1
  return (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122) || byte === 95 || byte >= 128
}
