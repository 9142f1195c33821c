import assert from "node:assert/strict"
import { randomUUID } from "node:crypto"
import { after, before, describe, it } from "node:test"
import { AppError } from "../../src/core/errors.ts"
import { ensureOldImage } from "../../src/job/settle-upgrade.ts"
import { stackTools } from "../support/stack-tools.ts"
import { testbed } from "../testbed/testbed.ts"
import { docker, image } from "./recreate-ground.ts"

const bed = testbed()

describe("an interrupted upgrade whose old image was pruned meanwhile", () => {
  const tag = `${bed.registry}/t-rec/old:1`
  const tools = stackTools(bed.stack)
  const paths = { directory: "/data/db", aside: "/data/db.aside-1", failed: "/data/db.failed-1" }
  let imageId: string
  let digest: string
  before(async () => {
    await image(tag, "infra-testbed/base:bookworm", `LABEL once=${randomUUID()}`)
    await docker("push", "--quiet", tag)
    imageId = await docker("image", "inspect", "--format", "{{.Id}}", tag)
    digest = await docker("image", "inspect", "--format", "{{index .RepoDigests 0}}", tag)
    await docker("rmi", "--force", imageId)
  })
  after(() => docker("rmi", "--force", imageId))

  it("says what is gone and where the old data is, where no registry has it", async () => {
    const note = { format: 1, service: "db", imageId, ...paths } as const
    for (const lost of [note, { ...note, image: `${bed.registry}/t-rec/old@sha256:${"0".repeat(64)}` }])
      await assert.rejects(ensureOldImage(tools, lost), (error: unknown) => {
        assert.ok(error instanceof AppError)
        assert.equal(error.code, "image-gone")
        assert.ok(error.message.includes(imageId), error.message)
        return error.hint?.includes(paths.aside) === true
      })
  })

  it("pulls it again", async () => {
    await ensureOldImage(tools, { format: 1, service: "db", imageId, image: digest, ...paths })
    assert.equal(await docker("image", "inspect", "--format", "{{.Id}}", imageId), imageId)
  })
})
