import { type Host, HostError } from "./host.ts"
import type { Work } from "./work.ts"

export interface PlainWorkOptions {
  readonly id: string
  readonly log: (line: string) => void
  readonly signal: AbortSignal
}

/**
 * A `Work` without keeper, journal and lease, for a machine where only this process works and nothing has to outlive it:
 * each step ends with its command, and an abort ends it at once.
 */
export function plainWork(host: Host, { id, log, signal }: PlainWorkOptions): Work {
  const start = (name: string) => {
    if (signal.aborted) throw new HostError("aborted", `cancelled before ${name}`)
    log(name)
  }
  return {
    dryRun: false,
    id,
    async step(name, command, { timeout = 600_000, input, onLine } = {}) {
      start(name)
      const result = await host.run(command, { timeout, signal, ...(input === undefined ? {} : { input }) })
      for (const line of result.stdout.split("\n").filter((one) => one !== "")) onLine?.(line)
      return result
    },
    async check(name, observe) {
      start(name)
      return observe()
    },
  }
}
