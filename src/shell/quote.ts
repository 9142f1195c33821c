/**
 * One POSIX shell word that expands to exactly `text`. Anything outside a small safe alphabet goes between single
 * quotes, where POSIX gives no character but the quote itself a meaning (POSIX.1-2017, Shell Command Language 2.2.2).
 * Throws a TypeError on NUL, which no shell word can hold.
 */
export function quote(text: string): string {
  if (text.includes("\0")) throw new TypeError("a shell word cannot hold a NUL character")
  return safe.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

const safe = /^[A-Za-z0-9_@%+=:,./-]+$/
