import assert from "node:assert/strict"
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { configSchema } from "../../../src/core/config.ts"
import { composeStack } from "../../../src/docker/compose-stack.ts"
import { localHost } from "../../../src/host/local.ts"
import { redisDriver } from "../../../src/service/redis/redis-driver.ts"
import { directWork } from "../../support/direct-work.ts"
import { shells, shellWork } from "../../support/shell-work.ts"
import { sh } from "./redis-ground.ts"

// The testbed has no Dragonfly: a client that answers like one, and leaves files like one, stands in for it.
const client = `#!/bin/sh
[ "$1" != -p ] || shift 2
case "$*" in
  "INFO persistence") echo "loading:0" ;;
  "INFO keyspace") echo "db0:keys=5,expires=1,avg_ttl=0" ;;
  "CONFIG GET dir") printf 'dir\\n/data\\n' ;;
  "SAVE DF "*) for f in /fake/*.dfs; do cp "$f" "/data/$3-\${f##*/}"; done; echo OK ;;
  "") printf 'PONG\\nredis_version:7.4.0\\ndragonfly_version:df-v1.40.1\\nloading:0\\nused_memory:1000\\n' ;;
  *) echo "ERR unknown: $*" ;;
esac
`

function part(fields: readonly (readonly [string, string])[]): Buffer {
  const text = (value: string) => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)])
  const records = fields.flatMap(([key, value]) => [Buffer.from([0xfa]), text(key), text(value)])
  return Buffer.concat([Buffer.from("REDIS0009"), ...records, Buffer.from([0xff]), Buffer.alloc(4096)])
}

async function ground(files: Readonly<Record<string, Buffer>>) {
  const project = `t-redis-df-${process.pid}-${Math.random().toString(36).slice(2, 6)}`
  const name = `${project}-cache-1`
  const fake = mkdtempSync(join(tmpdir(), "t-redis-"))
  const backups = mkdtempSync(join(tmpdir(), "t-redis-"))
  chmodSync(fake, 0o755)
  writeFileSync(`${fake}/redis-cli`, client, { mode: 0o755 })
  for (const [file, bytes] of Object.entries(files)) writeFileSync(`${fake}/${file}.dfs`, bytes)
  const labels = [
    "infra-actions.testbed=1",
    `com.docker.compose.project=${project}`,
    "com.docker.compose.service=cache",
    "com.docker.compose.container-number=1",
    "com.docker.compose.oneoff=False",
    "com.docker.compose.config-hash=x",
  ].flatMap((label) => ["--label", label])
  const mounts = ["-v", `${fake}/redis-cli:/usr/local/bin/redis-cli:ro`, "-v", `${fake}:/fake:ro`, "--tmpfs", "/data"]
  await sh(
    "docker",
    "run",
    "-d",
    "--init",
    "--name",
    name,
    ...labels,
    ...mounts,
    "infra-testbed/dragonfly:1",
    "sleep",
    "300",
  )
  const host = localHost()
  const parsed = configSchema.parse({ project, host: { address: "local" }, services: { cache: { kind: "dragonfly" } } })
  const stack = composeStack({ host, config: { ...parsed, environment: "test" } })
  const [container] = await stack.containers("cache")
  const config = parsed.services.cache
  assert(container && config)
  return {
    container,
    host,
    backups,
    service: { name: "cache", kind: "dragonfly", config, host, stack, backups } as const,
    left: () => sh("docker", "exec", name, "ls", "/data"),
    async [Symbol.asyncDispose]() {
      await sh("docker", "rm", "-f", name)
      for (const folder of [fake, backups]) rmSync(folder, { recursive: true })
      await host[Symbol.asyncDispose]()
    },
  }
}

const id = "0123456789abcdef0123456789abcdef"
const whole = {
  "0000": part([
    ["snapshot-id", id],
    ["shard-id", "0"],
  ]),
  "0001": part([
    ["snapshot-id", id],
    ["shard-id", "1"],
  ]),
  summary: part([
    ["snapshot-id", id],
    ["shard-count", "2"],
  ]),
}
const target = { id: "backup-20261121-030000", stamp: "2026-11-21-030000" }
const driver = redisDriver()

for (const shell of shells) {
  test(`a whole set is copied and the data directory left as it was, under ${shell.join(" ")}`, async () => {
    await using place = await ground(whole)
    const made = await driver.backup?.(place.service, place.container, target, shellWork(shell))
    assert(made?.contents.kind === "dragonfly")
    assert.deepEqual(made.contents, {
      kind: "dragonfly",
      product: "dragonfly",
      version: "1.40.1",
      keyspace: [{ database: 0, keys: 5, expires: 1 }],
    })
    const names = ["0000", "0001", "summary"].map((one) => `cache-2026-11-21-030000-${one}.dfs`)
    assert.deepEqual(
      made.artifacts.map((one) => one.name),
      names,
    )
    assert.deepEqual(readdirSync(`${place.backups}/dragonfly`), names)
    assert.equal((await place.left()).trim(), "")
  })
}

test("a set with a file missing is no backup and leaves nothing", async () => {
  await using place = await ground({ "0000": whole["0000"], summary: whole.summary })
  assert(driver.backup)
  await assert.rejects(
    driver.backup(place.service, place.container, target, directWork(place.host)),
    /not complete: cache-2026-11-21-030000-0001\.dfs: missing/,
  )
  assert.deepEqual(readdirSync(`${place.backups}/dragonfly`), [])
  assert.equal((await place.left()).trim(), "")
})
