import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { globSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import type { StackPlace } from "../testbed/testbed.ts"

export interface SnapshotOptions {
  /** Paths below the base directory, with all that is in them, that may differ. */
  readonly except?: readonly string[]
}

/**
 * What a stack's host is made of, one line a thing: containers with their state and start, networks, volumes, and every
 * file below the base directory with owner, mode, size and time. Of the data directories, into which the running servers
 * write by themselves, only the names at their top.
 */
export function hostSnapshot(place: StackPlace, { except = [] }: SnapshotOptions = {}): readonly string[] {
  const label = `label=com.docker.compose.project=${place.project}`
  const ids = lines("docker", "ps", "--all", "--quiet", "--no-trunc", "--filter", label)
  const state = "{{.Name}} {{.Id}} {{.State.Status}} {{.State.StartedAt}} {{.RestartCount}}"
  return [
    ...lines("docker", "inspect", "--format", state, ...ids),
    ...lines("docker", "network", "ls", "--no-trunc", "--format", "network {{.Name}} {{.ID}}", "--filter", label),
    ...lines("docker", "volume", "ls", "--format", "volume {{.Name}}", "--filter", label),
    ...files(place, except),
  ].sort()
}

/** Who watches over a step of work outlives it by up to a second, and takes its own script away last. */
export async function watchersGone({ baseDir }: StackPlace): Promise<void> {
  const scripts = () => globSync(join(baseDir, "state/production/work/*/job"))
  for (let tries = 0; scripts().length > 0; tries++) {
    assert.ok(tries < 100, `still there: ${scripts().join(", ")}`)
    await sleep(100)
  }
}

function files({ baseDir }: StackPlace, except: readonly string[]): readonly string[] {
  const served = ["data/postgres", "data/dragonfly"]
  const all = lines("find", baseDir, "-printf", "%P|%y %u %m %s %T@\\n")
  return all
    .map((line) => [line.slice(0, line.lastIndexOf("|")), line.slice(line.lastIndexOf("|") + 1)] as const)
    .filter(([path]) => !within(path, except))
    .filter(([path]) => !served.some((data) => path.startsWith(`${data}/`) && path.split("/").length > 3))
    .map(([path, about]) => (within(path, served) ? path : `${path} ${about}`))
}

function within(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => path === folder || path.startsWith(`${folder}/`))
}

function lines(program: string, ...words: readonly string[]): readonly string[] {
  return execFileSync(program, words, { encoding: "utf8" })
    .split("\n")
    .filter((line) => line !== "")
}
