import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import { type PublishedGround, publishedGround } from "../published/ground.ts"
import { commandsOf, typed } from "./typed.ts"

describe("the commands of the pages about backups, restores and drills, typed one after the other", () => {
  let ground: PublishedGround
  let id = ""
  before(async () => {
    ground = await publishedGround(15)
  })
  after(() => ground?.[Symbol.asyncDispose]())

  /** What a page calls by an example's name is called here. */
  const here = (line: string) => {
    const { project, baseDir } = ground.bed.stack
    if (line.includes("--file"))
      execFileSync("sh", [
        "-c",
        `docker exec ${project}-postgres-1 pg_dump -U app -d healthcare | gzip >${join(baseDir, "dump.sql.gz")}`,
      ])
    return line
      .replace(/backup-\d{8}-\d{6}/, id)
      .replace("/opt/my-app/dump.sql.gz", join(baseDir, "dump.sql.gz"))
      .replace("--database app", "--database healthcare")
  }

  for (const page of ["backup", "drill", "restore"])
    for (const line of commandsOf(`docs/${page}.md`))
      test(`${page}: ${line}`, async () => {
        const { code, stdout, stderr } = await typed(ground, here(line))
        assert.equal(code, 0, `${stdout}\n${stderr}`)
        id = /^backup-id=(backup-\S+)$/m.exec(stdout)?.[1] ?? id
        for (const secret of ground.secrets) assert.ok(!stderr.includes(secret) && !stdout.includes(secret))
      })
})
