import { failure } from "../core/errors.ts"
import { CommandError, type Host, type RunResult } from "../host/host.ts"
import { type Command, change, sh } from "../shell/command.ts"

/** A checkout, as deep as it happens to be. */
export interface Repository {
  /** Full hash of the commit that is checked out. */
  head(): Promise<string>
  /** Parents of the head, also where they were not fetched. */
  headParents(): Promise<readonly string[]>
  /** The full hash of a commit or ref, fetched when it is not here; undefined when it is not to be had. */
  find(commit: string): Promise<string | undefined>
  /** Where the head left `commit`'s line of history; undefined when they share none. */
  mergeBase(commit: string): Promise<string | undefined>
  /** Whether the head is older than `commit`; undefined when the history here is too short to tell. */
  isBehind(commit: string): Promise<boolean | undefined>
  /** Paths that differ between two commits' trees: added, changed, deleted, or another mode. */
  differing(from: string, to: string): Promise<readonly string[]>
  /** Every path of a commit. */
  paths(commit: string): Promise<readonly string[]>
  /** A file's text in a commit; undefined when it is not in it. */
  file(commit: string, path: string): Promise<string | undefined>
}

const fetchTime = 5 * 60_000

/** The git checkout in `directory` on `host`, which is this machine. */
export function openRepository(host: Host, directory: string, signal: AbortSignal): Repository {
  // The checkout may belong to another user than this process, as in a container job.
  const git = sh`GIT_TERMINAL_PROMPT=0 git -c safe.directory=${"*"} -C ${directory}`
  const ask = (command: Command, timeout = 60_000) => host.run(command, { timeout, signal, allow: "any" })
  const answer = async (command: Command) => must(await ask(command))
  const isShallow = async () => (await answer(sh`${git} rev-parse --is-shallow-repository`)).trim() === "true"
  const resolve = async (commit: string) => {
    const result = await ask(sh`${git} rev-parse --quiet --verify --end-of-options ${`${commit}^{commit}`}`)
    return result.code === 0 ? result.stdout.trim() : undefined
  }

  return {
    async head() {
      const head = await resolve("HEAD")
      if (head) return head
      throw failure("no-checkout", `${directory} is no checkout of a git repository`, {
        hint: "In a workflow put `actions/checkout` before this step; in a terminal run it in a clone of the repository.",
      })
    },
    async headParents() {
      const text = await answer(sh`${git} cat-file commit HEAD`)
      const header = text.slice(0, text.indexOf("\n\n"))
      return [...header.matchAll(/^parent ([0-9a-f]+)$/gm)].map(([, parent]) => String(parent))
    },
    async find(commit) {
      const here = await resolve(commit)
      if (here) return here
      // A whole clone stays whole: `--depth` would cut its history.
      const depth = (await isShallow()) ? ["--depth=1"] : []
      const fetched = await ask(change`${git} fetch --quiet --no-tags ${depth} -- origin ${commit}`, fetchTime)
      return fetched.code === 0 ? resolve("FETCH_HEAD") : undefined
    },
    async mergeBase(commit) {
      const found = async () => {
        const result = await ask(sh`${git} merge-base ${commit} HEAD`)
        return result.code === 0 ? result.stdout.trim() : undefined
      }
      const near = await found()
      if (near || !(await isShallow())) return near
      await ask(change`${git} fetch --quiet --no-tags --unshallow origin`, fetchTime)
      return found()
    },
    async isBehind(commit) {
      const result = await ask(sh`${git} merge-base --is-ancestor HEAD ${commit}`)
      if (result.code === 0) return true
      return result.code === 1 && !(await isShallow()) ? false : undefined
    },
    // Plumbing: a user's git settings cannot change its answer. `-z`: names come as they are.
    differing: async (from, to) =>
      names(await answer(sh`${git} diff-tree -r -z --no-renames --name-only ${from} ${to}`)),
    paths: async (commit) => names(await answer(sh`${git} ls-tree -r -z --name-only --full-tree ${commit}`)),
    async file(commit, path) {
      const result = await ask(sh`${git} cat-file blob ${`${commit}:${path}`}`)
      return result.code === 0 ? result.stdout : undefined
    },
  }
}

function must(result: RunResult): string {
  if (result.code !== 0) throw new CommandError(result)
  return result.stdout
}

function names(text: string): readonly string[] {
  return text.split("\0").filter((name) => name !== "")
}
