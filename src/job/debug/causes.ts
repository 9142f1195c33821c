import type { Check } from "../../core/health.ts"
import type { Container } from "../../docker/stack.ts"

/** What can be the matter with a service. The list is closed: what is none of these is `unknown`. */
export const causes = [
  "missing",
  "stopped",
  "paused",
  "restart-loop",
  "out-of-memory",
  "disk-full",
  "network-missing",
  "port-conflict",
  "bad-mount",
  "image-missing",
  "data-unreadable",
  "unhealthy",
  "unknown",
] as const
export type Cause = (typeof causes)[number]

export interface Evidence {
  readonly container: Container | undefined
  /** Those of the service's checks that are not well. */
  readonly checks: readonly Check[]
  /** Last lines of the container's log. */
  readonly log: string
  /** Restarts above which a container counts as looping. */
  readonly restartLimit: number
}

/** Names the cause, the most specific first, with the sentence that shows it. */
export function nameCause(evidence: Evidence): { readonly cause: Cause; readonly details: string } {
  const { container, checks, log } = evidence
  const told = checks.map((check) => `${check.name}: ${check.detail}`).join("; ")
  if (!container) return { cause: "missing", details: "the service has no container" }
  if (container.state === "paused") return { cause: "paused", details: "the container is paused" }
  const refused = startProblems.find(([, pattern]) => pattern.test(container.error))
  if (refused && container.state !== "running") return { cause: refused[0], details: container.error }
  const network = checks.find((check) => check.name.startsWith("network ") && check.state === "failed")
  if (network) return { cause: "network-missing", details: `${network.name}: ${network.detail}` }
  const loops = container.state === "restarting" || isShaky(evidence)
  const down = container.state !== "running" || loops
  // Between two crashes a container runs for a moment: its log still says why it ended.
  if (down || container.restarts > 0) {
    if (container.oomKilled) return { cause: "out-of-memory", details: `killed with exit code ${container.exitCode}` }
    const line = logProblems.flatMap(([cause, pattern]) => {
      const found = log.split("\n").findLast((one) => pattern.test(one))
      return found === undefined ? [] : [{ cause, details: withoutTime(found) }]
    })[0]
    if (line) return line
  }
  if (down) {
    const ended = `${container.state} with exit code ${container.exitCode}, restarted ${container.restarts} times`
    return { cause: loops ? "restart-loop" : "stopped", details: ended }
  }
  if (checks.some((check) => check.name.startsWith("volume ") && check.state === "failed")) {
    return { cause: "bad-mount", details: told }
  }
  return { cause: checks.some((check) => check.state === "failed") ? "unhealthy" : "unknown", details: told }
}

function isShaky({ container, restartLimit, checks }: Evidence): boolean {
  return (container?.restarts ?? 0) > restartLimit && checks.some((check) => check.name === "restarts")
}

/** Docker's own reasons for a container that did not start. */
const startProblems: readonly (readonly [Cause, RegExp])[] = [
  ["network-missing", /network \S+ not found|could not find a network|network .* does not exist/i],
  ["port-conflict", /port is already allocated|address already in use|failed to bind host port/i],
  ["disk-full", /no space left on device/i],
  ["bad-mount", /mount|bind source path does not exist|not a directory/i],
  ["image-missing", /no such image|image .* not found/i],
  ["out-of-memory", /cannot allocate memory|out of memory/i],
]

/** What Postgres and Redis-protocol servers write when their data cannot be used, and what all write when a disk is full. */
const logProblems: readonly (readonly [Cause, RegExp])[] = [
  ["disk-full", /no space left on device|MISCONF .*disk/i],
  [
    "data-unreadable",
    /PANIC:|could not locate a valid checkpoint record|invalid primary checkpoint record|could not open file "[^"]*global\/pg_(control|filenode\.map)|could not find the database system|invalid page in block|database files are incompatible with server|is not a database cluster directory|(Bad file format|Unexpected end of file) reading the append only file|Unable to obtain the AOF file|Wrong signature|Internal error when loading RDB|Short read or OOM loading DB|RDB file was saved with checksum|Can't handle RDB format|Internal error in RDB/i,
  ],
  ["bad-mount", /data directory .* has (wrong ownership|invalid permissions)|Permission denied.*(\/data|\/var\/lib)/i],
  ["port-conflict", /address already in use/i],
]

/** `docker logs --timestamps` puts the time before each line. */
function withoutTime(line: string): string {
  return line.replace(/^\d{4}-\d\d-\d\dT\S+\s/, "").trim()
}
