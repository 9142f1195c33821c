import { failure } from "../../core/errors.ts"
import type { Artifact } from "../../core/manifest.ts"
import { sh } from "../../shell/command.ts"
import { Secret } from "../../shell/secret.ts"
import { applyInside, named } from "./inside.ts"
import { cameToEnd, markedLines, newNonce, valuesOf } from "./marked-lines.ts"
import { grantSql, type Membership, regrantedSql } from "./memberships.ts"
import { type MissingRole, missingRoles } from "./missing-roles.ts"
import type { RestoreJob } from "./restore-job.ts"

/** What there is to say about the roles of a restore. */
export interface RestoredRoles {
  /** Those that it made, and which of them can log in or do anything: somebody may have dropped one on purpose. */
  readonly made: readonly string[]
  /** What could not be made as it was: before 16 anybody could be the grantor of a membership, and the first role may be another here. */
  readonly caveats: readonly string[]
}

/** Brings back the roles that the server does not have; the others keep their passwords. They hold hashes: never shown. */
export async function restoreRoles(job: RestoreJob, artifacts: readonly Artifact[]): Promise<RestoredRoles> {
  const { service, container, work, server } = job
  const file = artifacts.find((one) => one.role === "globals")?.file
  if (file === undefined)
    throw failure("manifest-incomplete", `the backup of ${service.name} has no file with its roles`)
  const { roles, statements, memberships } = await work.check(
    "read-roles",
    async () => {
      const { stdout } = await service.host.run(sh`cat ${`${service.backups}/${file}`}`)
      return missingRoles(stdout, server.roles)
    },
    { roles: [], statements: [], memberships: [] },
  )
  if (roles.length === 0) return { made: [], caveats: [] }
  const nonce = newNonce()
  const grants = server.version < 160_000 ? memberships.map(({ text }) => text) : grantSql(memberships)
  const sql = ["begin", ...statements, ...grants, "commit", ...regrantedSql(memberships, `${nonce} regranted`), ""]
  const { stdout } = await work
    .step(`restore-${service.name}-roles`, applyInside(container, nonce), {
      input: new Secret("roles", sql.join(";\n")),
      assume: `${nonce} end 0\n`,
    })
    .catch((error: unknown) => {
      throw named(`restoring the roles of ${service.name}`, "postgres-roles-failed", error)
    })
  const lines = markedLines(stdout, nonce)
  if (!cameToEnd(lines))
    throw failure("postgres-roles-failed", `restoring the roles of ${service.name} broke off: none was made`)
  return {
    made: [`Roles that were missing are back as they were, with their old passwords: ${roles.map(told).join(", ")}.`],
    caveats: regranted(valuesOf(lines, "regranted").flatMap((at) => memberships[Number(at)] ?? [])),
  }
}

function told({ name, superuser, login }: MissingRole): string {
  const powers = [...(superuser ? ["SUPERUSER"] : []), ...(login ? ["LOGIN"] : [])]
  return powers.length === 0 ? `"${name}"` : `"${name}" (${powers.join(", ")})`
}

function regranted(memberships: readonly Membership[]): readonly string[] {
  if (memberships.length === 0) return []
  const shown = memberships
    .slice(0, 20)
    .map(({ role, member, grantor }) => `"${member}" in "${role}" (was by "${grantor}")`)
  const rest = memberships.length > shown.length ? [`${memberships.length - shown.length} more`] : []
  return [
    `memberships are now granted by the first role of the server, since who had granted them has no right to here: ${[...shown, ...rest].join(", ")}.`,
  ]
}
