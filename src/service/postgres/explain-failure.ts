import { type AppError, failure } from "../../core/errors.ts"

interface Explanation {
  readonly pattern: RegExp
  readonly code: string
  readonly problem: string
  readonly hint: string
}

// The messages are those that PostgreSQL 15 and 17, tee and docker really give; sessions run with lc_messages=C.
const explanations: readonly Explanation[] = [
  {
    pattern: /is not the file that the backup's manifest describes/,
    code: "backup-damaged",
    problem: "the stored file was changed or cut",
    hint: "Nothing live was touched. Use this backup's copy in the other store, or another backup.",
  },
  {
    pattern: /No space left on device|could not extend file|Disk quota exceeded/,
    code: "postgres-disk-full",
    problem: "the disk is full",
    hint: "Make room (old backups, docker image prune); nothing half written was left. Small shared memory of the container (shm_size) gives the same message.",
  },
  {
    pattern:
      /(statement timeout|lock timeout)[\s\S]*LOCK TABLE|LOCK TABLE[\s\S]*(statement|lock) timeout|due to lock timeout|could not obtain lock/,
    code: "postgres-locked",
    problem: "a table stayed locked by another session",
    hint: "Wait for that session (a migration?) or end it, then run again.",
  },
  {
    pattern: /No such container|is not running|cannot exec in a stopped|container .* is (restarting|paused)/,
    code: "postgres-not-running",
    problem: "the container does not run",
    hint: "See the container's log; debug starts what is merely stopped.",
  },
  {
    pattern:
      /terminating connection due to|the database system is (shutting down|starting up|in recovery|not yet accepting)|server closed the connection|no connection to the server/,
    code: "postgres-stopped",
    problem: "the server stopped, or ended our session, in the middle",
    hint: "See the container's log for who stopped it, then run again.",
  },
  {
    pattern: /Is the server running locally|could not connect to server|Connection refused/,
    code: "postgres-no-answer",
    problem: "the server does not answer",
    hint: "See the container's log; a server in crash recovery needs time.",
  },
  {
    pattern: /pg_dump was ended by signal|terminated by user/,
    code: "postgres-dump-killed",
    problem: "somebody or something killed pg_dump",
    hint: "Signal 9 is as a rule the kernel's, for want of memory: see dmesg and the container's mem_limit. Then run again.",
  },
  {
    // A worker that meets an error of its own says so before.
    pattern: /out of memory|Cannot allocate memory|^(?![\s\S]*error: (?!a worker process))[\s\S]*a worker process died/,
    code: "postgres-killed",
    problem: "memory ran out, or a process of it was killed",
    hint: "Signal 9 is as a rule the kernel's, for want of memory: see dmesg and the container's mem_limit. Then run again.",
  },
  {
    pattern: /out of shared memory/,
    code: "postgres-locks",
    problem: "the server has no room for more locks: it holds one for each table and index",
    hint: "Raise max_locks_per_transaction (256 is enough for about 25 000 tables) and restart the server.",
  },
  {
    pattern: /violates [\w -]+ constraint|is violated by some row|could not create unique index|contains null values/,
    code: "postgres-contradiction",
    problem: "what it holds contradicts its own rules",
    hint: "No restore of it can obey them. Bring it back by hand without the rule (docs/by-hand.md), or mend the rows where they still live and back up again.",
  },
  {
    pattern: /too many clients|remaining connection slots|too many connections/,
    code: "postgres-connections",
    problem: "the server has no free connection",
    hint: "Raise max_connections, or close idle connections of the app.",
  },
  {
    pattern: /password authentication failed|[Pp]eer authentication failed|no password supplied|no pg_hba.conf entry/,
    code: "postgres-login",
    problem: "the server refuses the login over its local socket",
    hint: "POSTGRES_USER and POSTGRES_PASSWORD of the container must be those of the database, or pg_hba.conf must have `local all all trust`.",
  },
  {
    pattern: /(ERROR|FATAL): +(permission denied|must be (superuser|owner))/,
    code: "postgres-permission",
    problem: "the user lacks a right",
    hint: "POSTGRES_USER must be a superuser, as it is when the image made it; what a materialized view reads, its owner must be allowed to.",
  },
  {
    pattern:
      /invalid page in block|could not read blocks? \d|could not open file "(base|global|pg_)|(missing|unexpected) chunk (number|size)|compressed \w+ data is corrupt|index "[^"]*" (is corrupt|contains (corrupted|unexpected))|zero_damaged_pages or/,
    code: "postgres-damaged",
    problem: "the data itself is damaged",
    hint: "Do not restart or recreate it. Take a cold copy of the data directory first, then restore the last proven backup.",
  },
]

/**
 * Names the cause of a failed command from its error output. `what` is the sentence's subject, for example `the dump of
 * app`; when no cause is known the code is `otherwise` and the message the first error line.
 */
export function explainFailure(what: string, text: string, otherwise: string, cause?: unknown): AppError {
  const output = beforeStopping(text)
  const known = explanations.find(({ pattern }) => pattern.test(output))
  const line = errorLine(output, known?.pattern)
  const blocker = blockerOf(output)
  const problem = [known?.problem, blocker, line].filter((part) => part !== undefined && part !== "").join(": ")
  return failure(known?.code ?? otherwise, `${what} failed: ${problem || "it gave no reason"}`, {
    ...(known && { hint: known.hint }),
    ...(cause !== undefined && { cause }),
  })
}

/** What comes behind this mark of our scripts is what their own ending of everything made others say. */
function beforeStopping(text: string): string {
  const before = text.split(/^ia-[0-9a-f]{24} stopping$/m)[0] ?? ""
  return before.trim() === "" ? text : before
}

/** The line that names the cause, else the first error: pg_dump says in its first only that something failed. */
function errorLine(output: string, cause: RegExp | undefined): string {
  const all = output
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !/^ia-[0-9a-f]{24} /.test(line))
  const named = all.find((line) => cause?.test(line))
  const first = named ?? all.find((line) => /\b(FATAL|ERROR|PANIC)\b|error:|No space left/.test(line))
  return (first ?? all.at(-1) ?? "").slice(0, 500)
}

function blockerOf(output: string): string | undefined {
  const found = /^ia-[0-9a-f]{24} blocker (.*)$/m.exec(output)?.[1]
  return found === undefined ? undefined : `it is held by ${found}`
}
