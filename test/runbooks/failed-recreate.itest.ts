import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { recreate } from "../../src/job/recreate.ts"
import { backupId, image, open, readCompose, sql } from "../job/recreate-ground.ts"
import { removeStack, resetStack } from "../testbed/testbed.ts"
import { openRunbook } from "./runbook.ts"

const slot = 21
const directory = mkdtempSync(join(tmpdir(), "infra-actions-runbook-"))
after(async () => {
  rmSync(directory, { recursive: true, force: true })
  await removeStack({ slot })
})

test("the commands of the runbook, in its order, after an image has spoilt the data", async () => {
  const place = await resetStack({ slot, infraOnly: true })
  sql(place, "create table notes as select generate_series(1, 30) n")
  const spoil = 'ENTRYPOINT ["sh", "-c", "rm -f /var/lib/postgresql/data/global/pg_control; exit 1"]'
  const tag = await image("t-rec/postgres:spoils", "infra-testbed/postgres:17", spoil)
  const compose = readCompose(place).replace(/image: \$\{POSTGRES_IMAGE[^\n]*/, `image: ${tag}`)
  const { rung, cause } = await recreate(open(place, { compose }), { backupId: await backupId(open(place)) })
  assert.equal(rung, "backup", cause)
  sql(place, "delete from notes")

  const page = openRunbook("failed-recreate", {
    ...{ project: place.project, base: place.baseDir, directory },
    config: { compose: { files: ["docker-compose.prod.yml", "docker-compose.override.yml"] } },
    words: { CONTAINER: `${place.project}-postgres-1` },
  })
  const text = page.runAll()
  assert.match(text("docker ps"), new RegExp(`${place.project}-postgres-1`))
  assert.match(text("docker logs"), /database system is ready to accept connections/)
  assert.match(text("ls "), /^postgres\.aside-backup-\d{8}-\d{6}-\d{6}$/m)
  assert.match(text("restore"), /30 rows/)
  assert.equal(sql(place, "select count(*) from notes"), "30")
  assert.equal(page.commands.length, 4)
})
