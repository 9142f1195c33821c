import assert from "node:assert/strict"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, before, describe, test } from "node:test"
import { type DrillGround, drillGround } from "../support/drill-ground.ts"
import { type PrivateDockerd, privateDockerd } from "../support/private-dockerd.ts"

describe("drill on the runner, which has a Docker of its own and nothing of the host", () => {
  let ground: DrillGround
  let runner: PrivateDockerd
  const temporary = mkdtempSync(join(tmpdir(), "t-drill-runner-"))
  before(async () => {
    ground = await drillGround(31)
    runner = await privateDockerd()
    await ground.backUp()
  })
  after(async () => {
    await runner?.[Symbol.asyncDispose]()
    await ground?.[Symbol.asyncDispose]()
    rmSync(temporary, { recursive: true })
  })

  const drill = (inputs: Record<string, string>, options: Parameters<DrillGround["act"]>[2] = {}) =>
    ground.act(
      "drill",
      { where: "runner", ...inputs },
      { ...options, env: { DOCKER_HOST: runner.address, RUNNER_TEMP: temporary, ...options.env } },
    )
  /** Containers, volumes and files of a drill on the runner. */
  const left = async () => {
    const [containers, volumes] = [await runner.docker("ps", "-aq"), await runner.docker("volume", "ls", "-q")]
    const folder = join(temporary, readdirSync(temporary)[0] ?? "")
    const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith(".drill")) : []
    return [containers, volumes, ...files].filter((one) => one !== "")
  }

  for (const source of ["local", "s3"])
    test(`the copy from ${source} and the images go there; the host gets the record and nothing else`, async () => {
      const live = await ground.live()
      let beside: Promise<readonly string[]> | undefined
      const run = await drill(
        { source },
        {
          onOutput: (text) => {
            if (text.includes("restore-drill-postgres")) beside ??= ground.leftovers()
          },
        },
      )
      assert.equal(run.code, 0, run.log)
      assert.deepEqual(await beside, [])
      const record = ground.records().at(-1)
      assert.deepEqual(
        [record?.result, record?.proven, record?.where, record?.source],
        ["success", "restored", "runner", source],
      )
      assert.deepEqual(
        record?.services.map(({ rows, keys }) => [rows, keys]),
        [
          [800, 0],
          [0, 101],
        ],
      )
      assert.equal(/Sending the image/.test(run.log), source === "local", run.log)
      assert.deepEqual(await left(), [])
      assert.equal(await ground.live(), live)
    })

  test("a file that is damaged on the host fails it", async () => {
    const folder = join(ground.stack.baseDir, "backups/dragonfly")
    const path = join(folder, readdirSync(folder)[0] ?? "")
    const bytes = readFileSync(path)
    writeFileSync(path, bytes.subarray(0, -1))
    const run = await drill({})
    writeFileSync(path, bytes)
    assert.deepEqual([run.code, run.outputs["drill-status"]], [1, "failed"], run.log)
    assert.match(run.log, /not what their manifest says/)
    assert.deepEqual(await left(), [])
  })

  test("what a killed one leaves there, the next one removes", async () => {
    const killed = await drill(
      {},
      {
        onOutput: (text, kill) => {
          if (text.includes("restore-drill-postgres")) kill("SIGKILL")
        },
      },
    )
    assert.equal(killed.signal, "SIGKILL")
    assert.notDeepEqual(await left(), [])
    const next = await drill({}, { env: { GITHUB_RUN_ID: "4712" } })
    assert.equal(next.code, 0, next.log)
    assert.match(next.log, /An earlier drill left 1 throw-away container/)
    assert.deepEqual(await left(), [])
  })

  test("a runner without Docker is told, and a dry run starts nothing", async () => {
    const none = await drill({}, { env: { DOCKER_HOST: "unix:///nowhere.sock" } })
    assert.equal(none.code, 1, none.log)
    assert.match(none.log, /localhost/)
    const dry = await drill({ "dry-run": "true" })
    assert.equal(dry.code, 0, dry.log)
    assert.match(dry.log, /docker run --detach --network none/)
    assert.deepEqual(await left(), [])
  })
})
