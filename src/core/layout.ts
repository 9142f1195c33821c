import type { Config } from "./config.ts"

/** Every path this suite uses on the host. */
export interface Layout {
  readonly base: string
  readonly backups: string
  /** Lock, journal, work folders, releases: ours alone, mode 700. */
  readonly state: string
  readonly lock: string
  readonly work: string
  readonly releases: string
  readonly journal: string
}

/** The paths of a project's environment on its host. Two environments on one host share nothing but the base directory. */
export function layout(config: Pick<Config, "project" | "environment" | "host" | "backup">): Layout {
  const base = config.host.directory ?? `/opt/${config.project}`
  const state = `${base}/state/${config.environment}`
  return {
    base,
    backups: config.backup.directory ?? `${base}/backups`,
    state,
    lock: `${state}/lock`,
    work: `${state}/work`,
    releases: `${state}/releases.jsonl`,
    journal: `${state}/journal.jsonl`,
  }
}
