import type { Container } from "../../docker/stack.ts"
import type { Work } from "../../host/work.ts"
import type { Command, Effect } from "../../shell/command.ts"
import { redisScript } from "./ask-server.ts"
import type { DataSettings } from "./data-settings.ts"

/** A server's data directory, and the run that works on it. */
export interface DataPlace {
  readonly container: Container
  readonly settings: DataSettings
  readonly work: Pick<Work, "id">
}

/** One of the scripts that work on the data directory for a restore; they get container, image, directory and the work's id first. */
export function atData({ container, settings, work }: DataPlace, name: string, rest: readonly string[]): Command {
  return atDirectory({ container, settings }, name, { effect: "change", args: [work.id, ...rest] })
}

/** The same without an id. */
export function atDirectory(
  { container, settings }: Omit<DataPlace, "work">,
  name: string,
  { effect, args }: { readonly effect: Effect; readonly args: readonly string[] },
): Command {
  const place = [container.id, container.imageId, settings.directory]
  return redisScript(name, { effect, args: [...place, ...args], parts: ["redis-data"] })
}

/** What a start of the server would load: its file, and its append-only files when they are on. */
export function loadArguments({ file, append }: DataSettings): readonly string[] {
  return [file, append?.directory ?? "-", append?.file ?? "appendonly.aof"]
}
