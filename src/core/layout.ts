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

/** Lock, work folders and journal of work that leaves the stack alone, so that deployments and backups go on beside it. */
export function apart({ state }: Pick<Layout, "state">, name: string): Pick<Layout, "lock" | "work" | "journal"> {
  const folder = `${state}/${name}`
  return { lock: `${folder}/lock`, work: `${folder}/work`, journal: `${folder}/journal.jsonl` }
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
