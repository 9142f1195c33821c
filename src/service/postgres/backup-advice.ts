import type { DatabaseContents } from "../../core/manifest.ts"
import type { Service } from "../driver.ts"
import { identifier } from "./identifiers.ts"
import {
  chosenDatabases,
  commentedMark,
  type DatabaseFacts,
  markOf,
  type ServerFacts,
  undumpable,
} from "./server-facts.ts"
import { unrestorableExtensions } from "./unrestorable-extensions.ts"

/** One sentence for each database that a backup of this server treats otherwise than a person may expect. */
export function backupAdvice(service: Service, server: ServerFacts): readonly string[] {
  const misnamed = chosenDatabases(service, server).filter((one) => commentedMark(one) && !markOf(one))
  const leftOut = undumpable(server).filter((one) => !markOf(one))
  return [
    ...misnamed.map(({ name }) => {
      const named = identifier(name)
      return `${service.name}: the comment of database ${named} says that a restore put it aside, its name does not: it is taken for live. If it is, run: COMMENT ON DATABASE ${named} IS NULL;`
    }),
    // Configured ones are all that is wanted.
    ...(service.config.databases ? [] : leftOut.map((one) => `${service.name}: ${leftOutSentence(one)}`)),
  ]
}

function leftOutSentence({ name, template, connectable }: DatabaseFacts): string {
  const named = identifier(name)
  const why = [...(template ? ["a template"] : []), ...(connectable ? [] : ["closed to connections"])]
  const options = [...(template ? ["IS_TEMPLATE false"] : []), ...(connectable ? [] : ["ALLOW_CONNECTIONS true"])]
  return `database ${named} is not in the backup: it is ${why.join(" and ")}. To have it there: ALTER DATABASE ${named} ${options.join(" ")}; to leave it out on purpose, name the others in the service's \`databases\`.`
}

/** About tables whose rows no dump holds, from what `countSql` tells; each has some. */
export function apartAdvice({ name }: Pick<Service, "name">, apart: readonly string[]): readonly string[] {
  return apart.map(
    (line) =>
      `${name}: the rows of ${JSON.parse(line)} are not in the backup, since its table belongs to the extension. If they are yours: ALTER EXTENSION … DROP TABLE …, or have the extension declare it (pg_extension_config_dump).`,
  )
}

/** One sentence for each extension that is in the backup and that a restore of it would refuse. */
export function extensionAdvice(
  { name }: Pick<Service, "name">,
  databases: readonly DatabaseContents[],
): readonly string[] {
  return unrestorableExtensions(databases).map(
    (one) =>
      `${name}: no restore can bring back ${one}, so this backup comes back by hand only (docs/by-hand.md). For the other databases to come back without it, name them in services.${name}.databases.`,
  )
}
