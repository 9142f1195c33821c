import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { explainFailure } from "../../../src/service/postgres/explain-failure.ts"

describe("explainFailure", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["cat: write error: No space left on device", "postgres-disk-full"],
    [
      "pg_dump: error: query failed: ERROR:  canceling statement due to statement timeout\npg_dump: detail: Query was: LOCK TABLE public.t IN ACCESS SHARE MODE",
      "postgres-locked",
    ],
    ["Error response from daemon: container 12 is not running", "postgres-not-running"],
    ["FATAL:  terminating connection due to administrator command", "postgres-stopped"],
    ["FATAL:  the database system is starting up", "postgres-stopped"],
    ["FATAL:  sorry, too many clients already", "postgres-connections"],
    ['FATAL:  password authentication failed for user "x"', "postgres-login"],
    ["pg_dump: error: query failed: ERROR:  permission denied for table secret", "postgres-permission"],
    ["ERROR:  invalid page in block 3 of relation base/24576/24577", "postgres-damaged"],
    ["/b/f is not the file that the backup's manifest describes", "backup-damaged"],
    ["pg_restore: error: a worker process died unexpectedly", "postgres-killed"],
    ["pg_restore: error: could not execute query: ERROR:  out of memory", "postgres-killed"],
    ["pg_restore: error: COPY failed\npg_restore: error: a worker process died unexpectedly", "other"],
    ['ERROR:  could not open file "base/5/16384": No such file or directory', "postgres-damaged"],
    [
      "ERROR:  unexpected chunk size 3 (expected 9) in chunk 0 of 2 for toast value 7 in pg_toast_1",
      "postgres-damaged",
    ],
    ["ERROR:  could not create unique index\nDETAIL:  Key (checksum)=(1) is duplicated.", "postgres-contradiction"],
    ['ERROR:  insert or update on table "c" violates foreign key constraint "k"', "postgres-contradiction"],
    ["pg_dump: error: query failed: ERROR:  out of shared memory", "postgres-locks"],
    ['pg_restore: error: COPY failed for table "corrupt": ERROR:  bad value', "other"],
    ["ERROR:  function permission_denied() does not exist", "other"],
    ["something new", "other"],
  ]
  for (const [text, code] of cases)
    it(`knows: ${text.slice(0, 60)}`, () => assert.equal(explainFailure("it", text, "other").code, code))
  it("shows the line that names the cause, whichever process speaks first", () => {
    const output =
      "pg_dump: error: PQgetResult() failed.\npg_dump: detail: ERROR:  invalid page in block 3 of relation x"
    assert.match(explainFailure("the dump", output, "x").message, /damaged: pg_dump: detail: ERROR: {2}invalid page/)
  })
  it("shows the first error, not the noise after it, and who holds a lock", () => {
    const output = `ia-${"0".repeat(24)} blocker migrate (pid 7)\nwarning\npg_dump: error: LOCK TABLE: canceling statement due to lock timeout\ntail`
    assert.match(
      explainFailure("the dump", output, "x").message,
      /^the dump failed: .*it is held by migrate \(pid 7\): pg_dump: error: LOCK/,
    )
  })
})
