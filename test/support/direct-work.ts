import type { Host } from "../../src/host/host.ts"
import type { Work } from "../../src/host/work.ts"

/** A `Work` that runs each step at once on the host, without keeper, journal and lease; it remembers the steps' names. */
export function directWork(
  host: Host,
  options: { readonly beforeStep?: (name: string) => void | Promise<void> } = {},
): Work & { readonly steps: readonly string[] } {
  const steps: string[] = []
  return {
    dryRun: false,
    id: `direct-${process.pid}-${Math.random().toString(36).slice(2, 8)}`,
    steps,
    async step(name, command, { timeout = 600_000, input } = {}) {
      steps.push(name)
      await options.beforeStep?.(name)
      return host.run(command, { timeout, ...(input === undefined ? {} : { input }) })
    },
    check: (_name, observe) => observe(),
  }
}
