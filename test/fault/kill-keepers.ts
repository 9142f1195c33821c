import { readdirSync, readFileSync } from "node:fs"
import type { Ground } from "./ground.ts"

/** Everything of ours that runs on the host, with all that it has started there. */
export function killKeepers({ stack }: Pick<Ground, "stack">): void {
  const folder = `${stack.baseDir}/state/production/work`
  for (const name of readdirSync(folder)) {
    const pid = /^\d+/.exec(textOf(`${folder}/${name}/pid`))?.[0]
    if (pid === undefined || !textOf(`/proc/${pid}/cmdline`).includes(folder)) continue
    process.kill(-Number(pid), "SIGKILL")
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return "" // it has ended since
  }
}
