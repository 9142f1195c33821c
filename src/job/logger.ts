/** Where a job tells what it does. Every line is for the person who reads the log; results never depend on it. */
export interface Logger {
  /** One line of our own words. */
  info(line: string): void
  /** The job begins one of its named steps: `dump-postgres`. */
  step(name: string): void
  /** Something to look at that does not stop the job. */
  warning(message: string): void
  /** Runs `body`; what it logs is folded under `title` where the place can fold. Groups do not nest. */
  group<T>(title: string, body: () => Promise<T>): Promise<T>
  /** Text that the host, a container or a user's file wrote: shown as it is, obeyed never (S12). */
  untrusted(text: string): void
}

/** Says nothing: for tests and for looks whose words nobody needs. */
export const silentLogger: Logger = {
  info() {},
  step() {},
  warning() {},
  group: (_title, body) => body(),
  untrusted() {},
}
