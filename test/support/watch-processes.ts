import { readdirSync, readFileSync, statSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"

export interface SeenProcess {
  readonly commandLine: string
  readonly environment: string
}

/** Every process of a user that ran while `during` did, as any other process of that user can see it. */
export async function watchProcesses<T>(
  uid: number,
  during: Promise<T>,
): Promise<{ readonly result: T; readonly seen: readonly SeenProcess[] }> {
  const seen = new Map<string, SeenProcess>()
  const look = () => {
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      if (owner(pid) !== uid) continue
      const one = { commandLine: readIfThere(`/proc/${pid}/cmdline`), environment: readIfThere(`/proc/${pid}/environ`) }
      seen.set(`${one.commandLine}\0${one.environment}`, one)
    }
  }
  let busy = true
  const done = during.finally(() => {
    busy = false
  })
  while (busy) {
    look()
    await Promise.race([
      done.then(
        () => undefined,
        () => undefined,
      ),
      sleep(60),
    ])
  }
  return { result: await done, seen: [...seen.values()] }
}

function owner(pid: string): number | undefined {
  try {
    return statSync(`/proc/${pid}`).uid
  } catch (error) {
    return ended(error, undefined)
  }
}

/** The bytes of a file as text, empty when it is gone or not for us. */
export function readIfThere(path: string): string {
  try {
    return readFileSync(path, "latin1")
  } catch (error) {
    return ended(error, "")
  }
}

/** The process has ended meanwhile, or is a zombie. */
function ended<T>(error: unknown, otherwise: T): T {
  if (["ENOENT", "ESRCH", "EACCES", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "")) return otherwise
  throw error
}
