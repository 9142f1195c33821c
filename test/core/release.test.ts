import assert from "node:assert/strict"
import { describe, test } from "node:test"
import {
  backupsInUse,
  currentRelease,
  deployedCommits,
  formatRelease,
  parseReleases,
  previousRelease,
  type Release,
  releaseId,
} from "../../src/core/release.ts"

const commits = { a: "a".repeat(40), b: "b".repeat(40), c: "c".repeat(40) }

describe("the release history", () => {
  test("gives back what was written", () => {
    const releases = [release("r1"), release("r2", { status: "bad", note: "not healthy" })]
    const history = parseReleases(releases.map(formatRelease).join(""))
    assert.deepEqual(history, { releases, unreadable: [], torn: false })
    assert.deepEqual(parseReleases(""), { releases: [], unreadable: [], torn: false })
  })

  test("bears a torn last line at every byte, and the next record after it", () => {
    const first = formatRelease(release("r1"))
    const second = formatRelease(release("r2"))
    for (let cut = first.length; cut < first.length + second.length - 1; cut += 1) {
      const torn = (first + second).slice(0, cut)
      const history = parseReleases(torn)
      assert.deepEqual(
        history.releases.map(({ id }) => id),
        ["r1"],
        `cut at ${cut}`,
      )
      assert.deepEqual(history.unreadable, [])
      assert.equal(history.torn, cut > first.length + 1)
      const mended = parseReleases(torn + formatRelease(release("r3")))
      assert.deepEqual(
        mended.releases.map(({ id }) => id),
        ["r1", "r3"],
        `mended after ${cut}`,
      )
    }
  })

  test("tells of lines in the middle that it cannot read", () => {
    const text = `${formatRelease(release("r1"))}{"format":9}\n${formatRelease(release("r2"))}`
    const history = parseReleases(text)
    assert.deepEqual(
      history.releases.map(({ id }) => id),
      ["r1", "r2"],
    )
    assert.deepEqual([history.unreadable, history.torn], [[3], false])
  })

  test("lets a later line replace an earlier one of the same id, in its place", () => {
    const history = historyOf(release("r1"), release("r2"), release("r1", { status: "bad" }))
    assert.deepEqual(
      history.releases.map(({ id, status }) => `${id} ${status}`),
      ["r1 bad", "r2 good"],
    )
  })

  test("refuses to write a record that it could not read", () => {
    assert.throws(() => formatRelease(release("r 1")))
    assert.throws(() => formatRelease({ ...release("r1"), commit: "HEAD" }))
  })
})

describe("where a rollback goes", () => {
  test("to the newest good release with other images, over the bad ones", () => {
    const history = historyOf(
      release("r1", { images: images("1") }),
      release("r2", { images: images("2"), status: "bad" }),
      release("i1", { kind: "recreate", images: images("9") }),
      release("r3", { images: images("3") }),
      release("r4", { images: images("3") }),
      release("r5", { images: images("5"), status: "bad" }),
    )
    assert.equal(currentRelease(history)?.id, "r4")
    assert.equal(previousRelease(history)?.id, "r1")
  })

  test("nowhere without an earlier good release", () => {
    assert.equal(previousRelease(historyOf()), undefined)
    assert.equal(previousRelease(historyOf(release("r1"))), undefined)
    assert.equal(
      previousRelease(historyOf(release("r1", { images: images("1"), status: "bad" }), release("r2"))),
      undefined,
    )
    assert.equal(previousRelease(historyOf(release("r1"), release("r2"))), undefined)
  })
})

describe("what is deployed", () => {
  test("is the commit of each component's last good release", () => {
    const history = historyOf(
      release("r1", { commit: commits.a }),
      release("i1", { kind: "recreate", commit: commits.b }),
      release("r2", { commit: commits.c, status: "bad" }),
      release("i2", { kind: "recreate", commit: commits.c, status: "bad" }),
    )
    assert.deepEqual(deployedCommits(history), { infra: commits.b, app: commits.a })
  })

  test("follows a rollback back", () => {
    const history = historyOf(
      release("r1", { commit: commits.a }),
      release("r2", { commit: commits.b }),
      release("r3", { kind: "rollback", commit: commits.a }),
    )
    assert.equal(deployedCommits(history).app, commits.a)
  })

  test("is unknown after a release without a commit, rather than an older one", () => {
    const history = historyOf(release("r1", { commit: commits.a }), release("r2", { commit: "" }))
    assert.deepEqual(deployedCommits(history), { infra: undefined, app: undefined })
  })
})

test("backups of the current and the previous release are in use", () => {
  const history = historyOf(
    release("r1", { images: images("1"), backup: "backup-1" }),
    release("r2", { images: images("2"), backup: "backup-2" }),
    release("r3", { images: images("3"), backup: "backup-3" }),
  )
  assert.deepEqual([...backupsInUse(history)].sort(), ["backup-2", "backup-3"])
})

test("a release's id sorts by time and names its commit", () => {
  const time = new Date("2026-01-31T02:00:05.999Z")
  assert.equal(releaseId(time, commits.a), "20260131-020005-aaaaaaa")
  assert.equal(releaseId(time, ""), "20260131-020005")
})

function historyOf(...releases: readonly Release[]) {
  return parseReleases(releases.map(formatRelease).join(""))
}

function images(digit: string): Release["images"] {
  return [{ service: "api", reference: `app:${digit}`, imageId: `sha256:${digit.repeat(64)}` }]
}

function release(id: string, over: Partial<Release> = {}): Release {
  return {
    format: 1,
    id,
    kind: "deploy",
    time: "2026-01-31T02:00:00Z",
    commit: commits.a,
    images: images("0"),
    run: { id: "17", url: "https://example.org/runs/17", actor: "alice" },
    status: "good",
    ...over,
  }
}
