import { z } from "zod"
import { refusal } from "../../core/errors.ts"
import { inspectImage } from "../../docker/image.ts"
import type { Container, ServiceDefinition } from "../../docker/stack.ts"
import type { Service, Upgrade } from "../driver.ts"
import { type ImageFacts, readImage } from "./image-facts.ts"
import { ask } from "./inside.ts"
import { markOf, readServer, type ServerFacts, undumpable } from "./server-facts.ts"
import { assertBringsBack } from "./unrestorable-extensions.ts"

/**
 * The major upgrade that the definition's image would make of this server's data; undefined when it is of the same
 * major, or not on the host yet. Refuses an older major, a data path outside of every volume, and what a dump would not
 * carry over.
 */
export async function planUpgrade(
  service: Service,
  container: Container,
  definition: ServiceDefinition,
): Promise<Upgrade | undefined> {
  const found = await inspectImage(service.host, definition.image)
  if (!found || found.id === container.imageId) return undefined
  const [image, server] = await Promise.all([readImage(service, definition), readServer(service, container)])
  const from = Math.floor(server.version / 10_000)
  assertDataPath(service, image, definition)
  if (from === image.major) return undefined
  assertUpward(service, from, image.major)
  const databases = server.databases.filter((one) => one.connectable && !one.template && !markOf(one))
  assertCarried(service, server)
  const held = await readHeld(
    service,
    container,
    databases.map((one) => one.name),
  )
  assertBringsBack(service, held.databases)
  assertExtensions(service, held.extensions, image)
  return {
    from: `PostgreSQL ${from}`,
    to: `PostgreSQL ${image.major}`,
    directory: held.directory,
    bytes: databases.reduce((sum, { size }) => sum + size, 0),
    advice: adviceOf(service, held.settings, server),
  }
}

/** From 18 on the official image keeps its data in a directory of the major's own, below the old mount's parent. */
export function assertDataPath(service: Pick<Service, "name">, image: ImageFacts, definition: ServiceDefinition): void {
  const mounts = definition.volumes.filter((one) => one.type === "bind" || one.type === "volume")
  const covers = (target: string) => `${image.directory}/`.startsWith(`${target.replace(/\/+$/, "")}/`)
  if (mounts.some((one) => covers(one.target))) return
  const there = mounts.map((one) => one.target).join(", ") || "nothing"
  throw refusal(
    "postgres-data-path",
    `the image ${definition.image} keeps its data in ${image.directory}, where ${service.name} has no volume (it mounts ${there})`,
    {
      hint: "For PostgreSQL 18 and later mount the same volume at /var/lib/postgresql instead of /var/lib/postgresql/data; the data is moved by the upgrade.",
    },
  )
}

function assertUpward({ name }: Service, from: number, to: number): void {
  if (from < to) return
  throw refusal("postgres-downgrade", `${name} has data of PostgreSQL ${from}, its new image is PostgreSQL ${to}`, {
    hint: `Use an image of PostgreSQL ${from} or later: no older server reads this data, nor a dump of it.`,
  })
}

function assertCarried({ name }: Service, server: ServerFacts): void {
  const left = undumpable(server)
  if (server.standby)
    throw refusal("postgres-standby", `${name} is a standby: upgrade the primary, then make the standby anew`)
  if (left.length === 0) return
  throw refusal(
    "postgres-not-carried",
    `${left.map((one) => `"${one.name}"`).join(", ")} of ${name} would not be carried over: a template, or closed to connections`,
    { hint: "ALTER DATABASE ... IS_TEMPLATE false ALLOW_CONNECTIONS true, or drop it, then run again." },
  )
}

const heldSchema = z.object({
  directory: z.string(),
  extensions: z.array(z.string()),
  settings: z.array(z.string()),
})

async function readHeld(service: Service, container: Container, databases: readonly string[]) {
  const answers = await ask(service, container, heldSql, { databases })
  const all = answers.map((rows) => heldSchema.parse(JSON.parse(rows.join("\n") || "null")))
  const [first] = all
  return {
    directory: first?.directory ?? "",
    settings: first?.settings ?? [],
    databases: databases.map((name, at) => ({ name, extensions: all[at]?.extensions.map((one) => ({ name: one })) })),
    extensions: [...new Set(all.flatMap((one) => one.extensions))],
  }
}

const heldSql = `select json_build_object(
  'directory', current_setting('data_directory'),
  'extensions', (select coalesce(json_agg(extname), '[]') from pg_extension),
  'settings', (select coalesce(json_agg(distinct name), '[]') from pg_file_settings
    where sourcefile like '%/postgresql.auto.conf'));`

function assertExtensions({ name }: Service, wanted: readonly string[], image: ImageFacts): void {
  const missing = wanted.filter((one) => !image.extensions.includes(one))
  if (missing.length === 0) return
  throw refusal("postgres-extension", `the new image of ${name} does not have the extensions ${missing.join(", ")}`, {
    hint: `Use an image of PostgreSQL ${image.major} that brings them.`,
  })
}

function adviceOf({ name }: Service, settings: readonly string[], server: ServerFacts): readonly string[] {
  const tablespaces =
    server.ownTablespaces.length > 0 ? [`${name}: tables of own tablespaces are now in the default one.`] : []
  if (settings.length === 0) return tablespaces
  return [
    `${name}: settings made by ALTER SYSTEM did not come along: ${settings.join(", ")}. Set them in the compose file, or again.`,
    ...tablespaces,
  ]
}
