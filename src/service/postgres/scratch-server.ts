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

/** Without these an extension cannot be made, or a restore of many tables fails. */
const settingsSql = `select name || '=' || setting from pg_settings
where name in ('shared_preload_libraries', 'max_locks_per_transaction') and source <> 'default';`

async function recipe(service: Service, live: Container | undefined): Promise<ScratchRecipe> {
  const { services } = await service.stack.definition()
  const defined = services.find((one) => one.name === service.name)?.environment ?? {}
  const kept = wanted.flatMap((name) => (defined[name] === undefined ? [] : [[name, defined[name]] as const]))
  const [settings = []] = live?.state === "running" ? await ask(service, live, settingsSql) : []
  return {
    // Nobody can use the password: there is no network, and inside the socket asks for none.
    environment: { ...Object.fromEntries(kept), POSTGRES_PASSWORD: "no-network" },
    command: ["postgres", ...settings.flatMap((setting) => ["-c", setting])],
    // The image declares where its data lies.
    volumes: [],
  }
}

/** Asked over TCP: while the image makes the cluster, a temporary server answers on the socket only. */
async function ready(service: Service, container: Container): Promise<boolean> {
  const { code } = await service.host.run(sh`docker exec ${container.id} pg_isready -q -h 127.0.0.1 2>&1`, {
    allow: "any",
  })
  return code === 0
}
