import { closest } from "../core/closest.ts"

/** ``did you mean `x`?``, or all that is known when nothing comes near. */
export function didYouMean(word: string, known: readonly string[]): string {
  const meant = closest(word, known)
  return meant ? `did you mean \`${meant}\`?` : `known are: ${known.join(", ")}`
}
