import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { type AppError, failure, inputError, refusal } from "../../../src/core/errors.ts"
import { CommandError, HostError } from "../../../src/host/host.ts"
import { problemsOf } from "../../../src/job/drill/attempt.ts"
import { disproves } from "../../../src/job/drill/disproof.ts"
import { sh } from "../../../src/shell/command.ts"

const ended = (stderr: string) => new CommandError({ command: sh`fetch`, code: 1, stdout: "", stderr, duration: 1 })

const copyIsBad: readonly AppError[] = [
  failure("backup-corrupt", "the local files of b are not what their manifest says"),
  failure("s3-object", "b names no object in S3 for a"),
  failure("restore-failed", "put back", { cause: failure("backup-damaged", "the stored file was changed or cut") }),
  ended("error postgres/a.dump came from S3 with other bytes than its manifest says\n"),
]

const backupIsBad: readonly AppError[] = [
  failure("restore-differs", "patients rows: 500 instead of 501"),
  failure("postgres-restore-failed", "COPY failed", { cause: ended("pg_restore: error: COPY failed") }),
  failure("postgres-permission", "the user lacks a right: permission denied for table people"),
  failure("restore-failed", "put back", { cause: failure("restore-differs", "it read 3 keys, the snapshot holds 4") }),
]

const couldNotTry: readonly AppError[] = [
  inputError("backup-key", "input `backup-key` is missing"),
  inputError("s3-denied", "S3 denied reading a"),
  failure("s3-unreachable", "S3 does not answer"),
  new HostError("lost", "the connection to the host was lost"),
  ended("error S3 answered 503 for postgres/a.dump, 5 times"),
  ended("docker: Error response from daemon: No such image: a"),
  failure("image-differs", "the runner's Docker gave the image another id"),
  refusal("memory", "the host has 1 GiB left"),
  failure("postgres-disk-full", "the disk is full", { cause: ended("No space left on device") }),
  failure("step-cut", "restore was cut on the host"),
  failure("drill-server", "drill-postgres ended", { cause: failure("postgres-restore-failed", "COPY failed") }),
  failure("restore-failed", "put back", { cause: failure("load-timeout", "no answer") }),
]

describe("what a drill that ends with an error says of the copy", () => {
  for (const [errors, said] of [
    [copyIsBad, "copy"],
    [backupIsBad, "backup"],
    [couldNotTry, undefined],
    [[new TypeError("undefined is not a function")], undefined],
  ] as const)
    for (const error of errors)
      test(`${error.message}: against ${said ?? "nothing"}`, () => assert.equal(disproves(error), said))
})

describe("what checks of restored data say", () => {
  const check = (state: "ok" | "warning" | "failed" | "unknown") => ({ name: state, state, detail: "why" })

  test("nothing wrong: empty, warnings are none", () => assert.equal(problemsOf([check("ok"), check("warning")]), ""))

  test("one that failed is named, whatever could not be looked at besides", () =>
    assert.equal(problemsOf([check("unknown"), check("failed"), check("ok")]), "failed: why"))

  test("one that could not look leaves the copy neither proven nor disproven", () => {
    assert.throws(() => problemsOf([check("ok"), check("unknown")]), { code: "drill-unknown", message: /unknown: why/ })
  })
})
