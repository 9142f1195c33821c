import type { DatabaseContents } from "../../core/manifest.ts"
import type { Container } from "../../docker/stack.ts"
import type { Work } from "../../host/work.ts"
import type { Service } from "../driver.ts"
import type { ServerFacts } from "./server-facts.ts"

/** What every part of one restore works with. */
export interface RestoreJob {
  readonly service: Service
  readonly container: Container
  readonly work: Work
  readonly server: ServerFacts
}

/** A database and the names it goes by while it is restored. */
export interface BesideNames {
  readonly live: string
  readonly name: string
  readonly old: string
  /** Is there a live one to replace? */
  readonly exists: boolean
  readonly step: string
}

export interface Beside extends BesideNames {
  readonly contents: DatabaseContents
  readonly properties: readonly string[]
}

/** A database beside the live one, with all that the backup holds, counted. */
export interface Restored extends Beside {
  /** How many came back, stopped. */
  readonly subscriptions: number
  /** Materialized views that could not be filled again, as SQL names them. */
  readonly unfilled: readonly string[]
  /** Why, as the server said. */
  readonly reasons: readonly string[]
  /** What lay in a tablespace of its own and does not now: `public.t (fast)`. */
  readonly displaced: readonly string[]
}
