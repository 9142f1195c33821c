import { failure } from "../../core/errors.ts"
import type { ServiceBackup } from "../../core/manifest.ts"
import type { Container } from "../../docker/stack.ts"
import type { Work } from "../../host/work.ts"
import { sh } from "../../shell/command.ts"
import { Secret } from "../../shell/secret.ts"
import type { RestoreReport, Service } from "../driver.ts"
import { besideName, identifier } from "./identifiers.ts"
import { initialRole } from "./initial-role.ts"
import { applyInside, ask, named } from "./inside.ts"
import { cameToEnd, markedLines, newNonce } from "./marked-lines.ts"
import { restoreServer } from "./restore-server.ts"
import { markOf, readServer } from "./server-facts.ts"

/**
 * A restore into a server that initdb has just made. The role that initdb made gets the password and settings it had,
 * for they may have been changed since the first start; the empty databases that gave way are dropped.
 */
export async function restoreFreshServer(
  service: Service,
  container: Container,
  { backup, work }: { readonly backup: ServiceBackup; readonly work: Work },
): Promise<RestoreReport> {
  const report = await restoreServer(service, container, { backup, work })
  const sql = await work.check(
    `read-role-${service.name}`,
    async () => {
      const [[role = ""] = []] = await ask(service, container, "select current_user;")
      return initialRole(await globalsOf(service, backup), role)
    },
    "",
  )
  const empty = await work.check(`empty-${service.name}`, () => emptyOnes(service, container, { backup, work }), [])
  const nonce = newNonce()
  const { stdout } = await work
    .step(`finish-${service.name}`, applyInside(container, nonce), {
      input: new Secret("role", [sql, ...empty.map((name) => `drop database ${identifier(name)};`), ""].join("\n")),
      assume: `${nonce} end 0\n`,
    })
    .catch((error: unknown) => {
      throw named(`giving the first role of ${service.name} what it had`, "postgres-role-failed", error)
    })
  if (!cameToEnd(markedLines(stdout, nonce)))
    throw failure("postgres-role-failed", `giving the first role of ${service.name} what it had broke off`)
  return { ...report, kept: "" }
}

/** Of the databases that gave way, those without any table: one in which somebody has written meanwhile stays. */
async function emptyOnes(
  service: Service,
  container: Container,
  { backup, work }: { readonly backup: ServiceBackup; readonly work: Work },
): Promise<readonly string[]> {
  const restored = backup.contents.kind === "postgres" ? backup.contents.databases : []
  const gaveWay = new Set(restored.map(({ name }) => besideName(name, "old", work.id)))
  const { databases } = await readServer(service, container)
  const names = databases.flatMap((one) => (gaveWay.has(one.name) && markOf(one) ? [one.name] : []))
  const answers = await ask(service, container, relationsSql, { databases: names })
  return names.filter((_, at) => answers[at]?.[0] === "0")
}

const relationsSql = `select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname !~ '^pg_' and n.nspname <> 'information_schema';`

async function globalsOf(service: Service, backup: ServiceBackup): Promise<string> {
  const file = backup.artifacts.find((one) => one.role === "globals")?.file
  if (file === undefined)
    throw failure("manifest-incomplete", `the backup of ${service.name} has no file with its roles`)
  return (await service.host.run(sh`cat ${`${service.backups}/${file}`}`)).stdout
}
