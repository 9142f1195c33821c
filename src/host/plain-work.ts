import { CommandError, type Host, HostError } from "./host.ts"
import { collect, lineReader } from "./step-output.ts"
import { stepTimeout, type Work } from "./work.ts"

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
    async step(name, command, step = {}) {
      start(name)
      const { timeout = stepTimeout, input } = step
      const output = collect(lineReader(name, step, log))
      const running = host.stream(command, { timeout, signal, ...(input === undefined ? {} : { input }) })
      try {
        for await (const chunk of running.stdout) output.add(chunk as Buffer)
        return { ...(await running.done), stdout: output.finish() }
      } catch (error) {
        throw error instanceof CommandError ? new CommandError({ ...error.result, stdout: output.finish() }) : error
      }
    },
    async check(name, observe) {
      start(name)
      return observe()
    },
  }
}
