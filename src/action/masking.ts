/** Hides what must not be seen from every text that leaves the process. */
export interface Masking {
  /** Takes a secret in; gives back what was taken: the whole and each line of it. */
  add(secret: string): readonly string[]
  apply(text: string): string
}

/** Shorter lines of a secret (`}`, `==`) would hide half of every log and give nobody anything. */
const shortest = 4

export function createMasking(): Masking {
  const hidden = new Set<string>()
  return {
    add(secret) {
      const parts = [secret.trim(), ...secret.split(/\r?\n/).map((line) => line.trim())]
      const taken = [...new Set(parts)].filter((part) => part.length >= shortest)
      for (const part of taken) hidden.add(part)
      return taken
    },
    apply(text) {
      const longestFirst = [...hidden].sort((one, other) => other.length - one.length)
      return longestFirst.reduce((shown, part) => shown.replaceAll(part, "***"), text)
    },
  }
}
