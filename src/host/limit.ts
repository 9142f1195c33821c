/** Lets `count` in at once; the others wait in the order in which they came. */
export interface Limit {
  /** Resolves with the function that gives the place back. Rejects with the signal's reason when that comes first. */
  enter(signal?: AbortSignal): Promise<() => void>
}

export function limit(count: number): Limit {
  const waiting = new Set<() => void>()
  let free = count

  function leave(): void {
    free += 1
    const [first] = waiting
    first?.()
  }

  function take(): () => void {
    free -= 1
    let left = false
    return () => {
      if (!left) leave()
      left = true
    }
  }

  return {
    async enter(signal) {
      signal?.throwIfAborted()
      if (free > 0) return take()
      const { promise, resolve, reject } = Promise.withResolvers<() => void>()
      const next = () => {
        waiting.delete(next)
        signal?.removeEventListener("abort", give)
        resolve(take())
      }
      const give = () => {
        waiting.delete(next)
        reject(signal?.reason)
      }
      waiting.add(next)
      signal?.addEventListener("abort", give, { once: true })
      return promise
    },
  }
}
