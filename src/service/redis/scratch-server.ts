import type { KeysContents, ServiceBackup } from "../../core/manifest.ts"
import type { Container } from "../../docker/stack.ts"
import { CommandError } from "../../host/host.ts"
import type { ScratchNeeds, ScratchRecipe, ScratchServer, Service } from "../driver.ts"
import { askServer } from "./ask-server.ts"
import { contentsOf } from "./restore-checks.ts"

/** An empty server of the product that made the backup, with as many databases as the backup has, and no password. */
export const scratchServer: ScratchServer = { needs, recipe, ready }

/** A snapshot is smaller than the keys in memory. On disk it lies staged, loaded from and, before that, saved empty. */
function needs({ artifacts }: ServiceBackup): ScratchNeeds {
  const bytes = artifacts.reduce((sum, one) => sum + one.bytes, 0)
  return { disk: bytes * 3 + 64 * 2 ** 20, memory: 2 ** 30 + bytes * 8 }
}

async function recipe(
  service: Service,
  _live: Container | undefined,
  { backup, memory }: { readonly backup: ServiceBackup; readonly memory: number },
): Promise<ScratchRecipe> {
  return { environment: {}, command: command(contentsOf(service.name, backup), memory), volumes: ["/data"] }
}

/** The arguments after the image; the data directory is told, for an image whose own default is another one. */
export function command({ product, keyspace, earlier = [] }: KeysContents, memory: number): readonly string[] {
  const databases = Math.max(16, ...[...keyspace, ...earlier].map((one) => one.database + 1))
  if (product !== "dragonfly")
    return [`${product}-server`, "--dir", "/data", "--databases", String(databases), "--appendonly", "no"]
  const limits = ["--proactor_threads=2", `--maxmemory=${Math.floor(memory * 0.8)}`, `--dbnum=${databases}`]
  return ["dragonfly", "--logtostderr", "--dir=/data", "--dbfilename=dump", "--version_check=false", ...limits]
}

async function ready(service: Service, container: Container): Promise<boolean> {
  try {
    const { ping, fields } = await askServer(service, container)
    return ping === "PONG" && fields.loading === "0"
  } catch (error) {
    // A container that has just been started may refuse the command.
    if (error instanceof CommandError) return false
    throw error
  }
}
