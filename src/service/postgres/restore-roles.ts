import { failure } from "../../core/errors.ts"
import type { Artifact } from "../../core/manifest.ts"
import { sh } from "../../shell/command.ts"
import { Secret } from "../../shell/secret.ts"
import { applyInside, named } from "./inside.ts"
import { cameToEnd, markedLines, newNonce } from "./marked-lines.ts"
import { missingRoles } from "./missing-roles.ts"
import type { RestoreJob } from "./restore-job.ts"

/** Brings back the roles that the server does not have; the others keep their passwords. They hold hashes: never shown. */
export async function restoreRoles(job: RestoreJob, artifacts: readonly Artifact[]): Promise<void> {
  const { service, container, work, server } = job
  const file = artifacts.find((one) => one.role === "globals")?.file
  if (file === undefined)
    throw failure("manifest-incomplete", `the backup of ${service.name} has no file with its roles`)
  const statements = await work.check(
    "read-roles",
    async () => {
      const { stdout } = await service.host.run(sh`cat ${`${service.backups}/${file}`}`)
      return missingRoles(stdout, server.roles)
    },
    "",
  )
  if (statements === "") return
  const nonce = newNonce()
  const { stdout } = await work
    .step(`restore-${service.name}-roles`, applyInside(container, nonce), {
      input: new Secret("roles", statements),
      assume: `${nonce} end 0\n`,
    })
    .catch((error: unknown) => {
      throw named(`restoring the roles of ${service.name}`, "postgres-roles-failed", error)
    })
  if (!cameToEnd(markedLines(stdout, nonce)))
    throw failure("postgres-roles-failed", `restoring the roles of ${service.name} broke off: none was made`)
}
