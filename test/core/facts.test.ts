import assert from "node:assert/strict"
import { test } from "node:test"
import { parseFacts, parseForce } from "../../src/core/facts.ts"

const texts = {
  "infra-changed": "true",
  "app-changed": "false",
  "migrations-changed": "false",
  "infra-status": "healthy",
  "data-present": "true",
  unfinished: "no",
  "backup-before-migrate": "true",
  force: "",
}

test("facts are read from outputs", () => {
  assert.deepEqual(parseFacts({ ...texts, force: "backup, verify\nbackup" }), {
    infraChanged: true,
    appChanged: false,
    migrationsChanged: false,
    infraStatus: "healthy",
    dataPresent: true,
    unfinished: "no",
    beforeMigrate: true,
    force: ["backup", "verify"],
  })
})

test("an empty or unknown fact stops, whichever it is", () => {
  for (const name of Object.keys(texts).filter((key) => key !== "force")) {
    for (const value of ["", "True", "yes", "unknown", "true "]) {
      assert.throws(() => parseFacts({ ...texts, [name]: value }), { code: "fact-empty", message: new RegExp(name) })
    }
  }
})

test("nothing but a restore is decided while the app waits for one", () => {
  const waiting = { ...texts, unfinished: "restore" }
  assert.throws(() => parseFacts({ ...waiting, force: "verify" }), { code: "restore-first", hint: /force: restore/ })
  assert.equal(parseFacts({ ...waiting, force: "restore" }).unfinished, "restore")
})

test("a job that nobody can ask for is named, with what was meant", () => {
  assert.throws(() => parseForce("recrate"), { code: "force-unknown", kind: "input", hint: /recreate/ })
  assert.throws(() => parseForce("lock"), { code: "force-unknown", message: /backup, recreate/ })
})
