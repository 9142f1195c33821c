import { z } from "zod"
import type { ServiceBackup } from "../../core/manifest.ts"
import type { Container } from "../../docker/stack.ts"
import { sh } from "../../shell/command.ts"
import type { ScratchNeeds, ScratchRecipe, ScratchServer, Service } from "../driver.ts"
import { ask } from "./inside.ts"

/** An empty server of the same image, set up as the real one where a restore depends on it. */
export const scratchServer: ScratchServer = { needs, recipe, ready }

/** Indexes, log and temporary files come on top of what the databases took; an archive lies unpacked for a while. */
function needs({ artifacts, contents }: ServiceBackup): ScratchNeeds {
  const data = contents.kind === "postgres" ? contents.databases.reduce((sum, { size }) => sum + size, 0) : 0
  const stored = artifacts.reduce((sum, { bytes }) => sum + bytes, 0)
  return { disk: Math.ceil(data * 2.2) + stored + 256 * 2 ** 20, memory: 2 * 2 ** 30 }
}

/** Variables of the image that decide how the cluster is made. */
const wanted = ["POSTGRES_USER", "POSTGRES_DB", "POSTGRES_INITDB_ARGS", "PGDATA", "LANG", "LC_ALL", "TZ"]

const liveSchema = z.object({
  environment: z.object({ POSTGRES_USER: z.string(), POSTGRES_DB: z.string() }),
  settings: z.array(z.string()),
})

/**
 * The role that initdb made, which grants memberships, and the image's own database: the definition may name a file with
 * them, or what it says may have come after the first start. Without the first two settings an extension cannot be made, or
 * a restore of many tables fails; the others decide what functions, defaults and views of the data make of it.
 */
const liveSql = `\\set own \`printf %s "$PGDATABASE"\`
select json_build_object(
  'environment', json_build_object('POSTGRES_USER', (select rolname from pg_roles where oid = 10), 'POSTGRES_DB', :'own'),
  'settings', (select coalesce(json_agg(name || '=' || setting), '[]') from pg_settings
    where source in ('configuration file', 'command line', 'environment variable')
      and name in ('shared_preload_libraries', 'max_locks_per_transaction', 'TimeZone', 'DateStyle',
        'default_text_search_config', 'lc_monetary', 'lc_numeric', 'lc_time')));`

async function recipe(service: Service, live: Container | undefined): Promise<ScratchRecipe> {
  const { services } = await service.stack.definition()
  const defined = services.find((one) => one.name === service.name)?.environment ?? {}
  const kept = wanted.flatMap((name) => (defined[name] === undefined ? [] : [[name, defined[name]] as const]))
  const told = live?.state === "running" ? await askLive(service, live) : { environment: {}, settings: [] }
  return {
    // Nobody can use the password: there is no network, and inside the socket asks for none.
    environment: { ...Object.fromEntries(kept), ...told.environment, POSTGRES_PASSWORD: "no-network" },
    command: ["postgres", ...told.settings.flatMap((setting) => ["-c", setting])],
    // The image declares where its data lies.
    volumes: [],
  }
}

async function askLive(service: Service, live: Container): Promise<z.output<typeof liveSchema>> {
  const [rows = []] = await ask(service, live, liveSql)
  return liveSchema.parse(JSON.parse(rows.join("\n") || "null"))
}

/** Asked over TCP: while the image makes the cluster, a temporary server answers on the socket only. */
async function ready(service: Service, container: Container): Promise<boolean> {
  const { code } = await service.host.run(sh`docker exec ${container.id} pg_isready -q -h 127.0.0.1 2>&1`, {
    allow: "any",
  })
  return code === 0
}
