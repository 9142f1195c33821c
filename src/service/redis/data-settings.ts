import { posix } from "node:path"
import { refusal } from "../../core/errors.ts"
import type { Container, Mount } from "../../docker/stack.ts"
import type { Service } from "../driver.ts"
import { askServer, portOf, redisScript } from "./ask-server.ts"
import { orRefused } from "./refused-command.ts"
import type { RedisKind } from "./server-answer.ts"

/** Where a server keeps what it loads at its start. */
export interface DataSettings {
  /** In the container. */
  readonly directory: string
  /** `dbfilename`; may hold Dragonfly's macros. */
  readonly file: string
  /** The append-only files' directory and name below `directory`; undefined when they are off. */
  readonly append: { readonly directory: string; readonly file: string } | undefined
  readonly mount: Mount
}

/** From the server when it answers, else from its arguments, its configuration file, its environment and the product's defaults. */
export async function readSettings(service: Service, container: Container, product: RedisKind): Promise<DataSettings> {
  const live = container.state === "running" && (await askServer(service, container)).ping !== ""
  const name = live ? "redis-settings" : "redis-settings-stopped"
  const command = redisScript(name, { effect: "read", args: [container.id, portOf(service)] })
  const { stdout } = await service.host
    .run(command, { timeout: service.config.timeout + 20_000 })
    .catch(orRefused(service))
  return judgeSettings(stdout, { product, container, service: service.name })
}

interface SettingsContext {
  readonly product: RedisKind
  readonly container: Pick<Container, "mounts">
  readonly service: string
}

/** Reads lines `name value`, the last of a name winning. Refuses what cannot be restored into. */
export function judgeSettings(text: string, { product, container, service }: SettingsContext): DataSettings {
  const lines = text.split("\n").map((line) => /^(\S+) ?(.*)$/.exec(line) ?? [])
  const settings = new Map(lines.flatMap(([, name, value]) => (name && value ? [[name, value] as const] : [])))
  const named = settings.get("dir") ?? "/data"
  // The working directory is what a stock redis.conf means: `dir ./`.
  const directory = named.includes("://") ? named : posix.resolve(settings.get("workdir") ?? "/", named)
  const file = settings.get("dbfilename") ?? (product === "dragonfly" ? "dump-{timestamp}" : "dump.rdb")
  const mount = [...container.mounts]
    .filter(({ target }) => directory === target || directory.startsWith(`${target.replace(/\/$/, "")}/`))
    .sort((a, b) => b.target.length - a.target.length)[0]
  if (mount === undefined || mount.type === "tmpfs") {
    throw refusal("no-data-volume", `the data directory ${directory} of ${service} is not on a volume`, {
      hint: "Mount a volume there: without one the data goes with the container.",
    })
  }
  if (product === "dragonfly" && directory.includes("summary")) {
    throw refusal("data-directory-name", `Dragonfly never loads from a path with the word summary in it: ${directory}`)
  }
  const on = product !== "dragonfly" && settings.get("appendonly") === "yes"
  const append = {
    directory: settings.get("appenddirname") ?? "appendonlydir",
    file: settings.get("appendfilename") ?? "appendonly.aof",
  }
  return { directory, file, mount, append: on ? append : undefined }
}

/**
 * The names under which a server with these settings loads a backup's files. Redis and Valkey: `dbfilename`. Dragonfly:
 * `dbfilename` with fixed text in place of its macros, then what tells the files of a set apart.
 */
export function restoredNames(
  files: readonly string[],
  { product, settings, id }: { readonly product: RedisKind; readonly settings: DataSettings; readonly id: string },
): ReadonlyMap<string, string> {
  if (product !== "dragonfly") return new Map(files.map((file) => [file, settings.file]))
  if (settings.file.endsWith(".rdb")) {
    throw refusal("dbfilename-format", `the server loads only ${settings.file}, the backup is a set of .dfs files`, {
      hint: "Set dbfilename without an extension.",
    })
  }
  const base = settings.file.replaceAll(/\{[^}]*\}/g, `restore-${id}`)
  return new Map(files.map((file) => [file, `${base}-${/-(\d{4}|summary)\.dfs$/.exec(file)?.[1] ?? "0000"}.dfs`]))
}
