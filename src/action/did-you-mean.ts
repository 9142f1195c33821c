import { closest } from "../core/closest.ts"

/** ``did you mean `x`?``, or all that is known when nothing comes near; each as a person would write it. */
export function didYouMean(word: string, known: readonly string[], written = (name: string) => name): string {
  const meant = closest(word, known)
  return meant ? `did you mean \`${written(meant)}\`?` : `known are: ${known.map(written).join(", ")}`
}
