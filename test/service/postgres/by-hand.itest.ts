import assert from "node:assert/strict"
import { test } from "node:test"
import { runByHand } from "../../support/by-hand.ts"
import { openGround } from "./postgres-ground.ts"

test("the guide's commands work where POSTGRES_USER is not set", async () => {
  await using ground = await openGround("by-hand", { major: 17, user: "postgres" })
  const env = { CONTAINER: ground.container().id }
  runByHand(["A new database"], { env })
  assert.equal(ground.sql("postgres", "select count(*) from pg_database where datname = 'by_hand'"), "1")
})
