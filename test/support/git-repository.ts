import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { gitIdentity } from "./consumer.ts"

/** A bare remote that serves any commit by its hash, as GitHub does, with a working clone to write history in. */
export interface GitGround extends Disposable {
  readonly remote: string
  /** Writes or (null) deletes files, commits them on the current branch and pushes; the commit's hash. */
  commit(files: Readonly<Record<string, string | null>>, options?: { readonly push?: boolean }): string
  git(...words: readonly string[]): string
  /** A checkout of one commit as actions/checkout makes it: `depth` commits, all of them for 0. */
  checkout(commit: string, depth?: number): string
}

export function gitGround(): GitGround {
  const folder = mkdtempSync(join(tmpdir(), "infra-actions-git-"))
  const [remote, work] = [join(folder, "remote.git"), join(folder, "work")]
  run(folder, "init", "--quiet", "--bare", "--initial-branch=main", remote)
  run(remote, "config", "uploadpack.allowAnySHA1InWant", "true")
  run(folder, "clone", "--quiet", remote, work)
  run(work, "checkout", "--quiet", "-b", "main")
  const git = (...words: readonly string[]) => run(work, ...words)
  let checkouts = 0
  return {
    remote,
    git,
    commit(files, { push = true } = {}) {
      for (const [path, content] of Object.entries(files)) {
        mkdirSync(dirname(join(work, path)), { recursive: true })
        if (content === null) rmSync(join(work, path))
        else writeFileSync(join(work, path), content)
      }
      git("add", "--all")
      git("commit", "--quiet", "--message", Object.keys(files).join(" "))
      if (push) git("push", "--quiet", "--force", "origin", "HEAD")
      return git("rev-parse", "HEAD")
    },
    checkout(commit, depth = 1) {
      checkouts += 1
      const path = join(folder, `checkout-${checkouts}`)
      run(folder, "init", "--quiet", path)
      run(path, "remote", "add", "origin", `file://${remote}`)
      run(path, "fetch", "--quiet", "--no-tags", ...(depth ? [`--depth=${depth}`] : []), "origin", commit)
      run(path, "checkout", "--quiet", "--detach", "FETCH_HEAD")
      return path
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function run(cwd: string, ...words: readonly string[]): string {
  return execFileSync("git", words, { cwd, encoding: "utf8", env: gitIdentity }).trim()
}
