import assert from "node:assert/strict"
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { configSchema } from "../../../src/core/config.ts"
import { composeStack } from "../../../src/docker/compose-stack.ts"
import { localHost } from "../../../src/host/local.ts"
import { sh } from "./redis-ground.ts"

// The testbed has no Dragonfly: a server that logs like one, and a client that answers like one and leaves files like
// one, stand in for it. What they say lies in files of the test's.
const client = `#!/bin/sh
[ "$1" != -p ] || shift 2
told() { cat "/fake/$1-$([ -e /tmp/saved ] && echo after || echo before)"; }
case "$*" in
  "INFO persistence") echo "loading:0"; cat /tmp/saved 2>/dev/null; echo "rdb_changes_since_last_success_save:3"; echo "rdb_bgsave_in_progress:1" ;;
  "INFO keyspace") told keyspace ;;
  "INFO stats") told stats ;;
  "INFO server") echo "dragonfly_version:df-v1.40.1" ;;
  "CONFIG GET dir") printf 'dir\\n/data\\n' ;;
  "CONFIG GET dbfilename") printf 'dbfilename\\ndump\\n' ;;
  "CONFIG GET "*) ;;
  "SAVE DF "*)
    for f in /fake/*.dfs; do cp "$f" "/data/$3-\${f##*/}"; done
    { echo "last_saved_file:/data/$3-summary.dfs"; cat /fake/wrote; } >/tmp/saved
    echo OK ;;
  SAVE) echo OK ;;
  "") printf 'PONG\\nredis_version:7.4.0\\ndragonfly_version:df-v1.40.1\\nloading:0\\nused_memory:1000\\n'; cat /fake/loaded ;;
  *) echo "ERR unknown: $*" ;;
esac
`

const server = `#!/bin/sh
[ "$1" != --version ] || { echo "dragonfly v1.40.1-0"; exit; }
trap 'exit 0' TERM
if [ -e /data/dump-restore-summary.dfs ] || ls /data/dump*-summary.dfs >/dev/null 2>&1; then
  line="I20261121 03:00:00.000000 8 server_family.cc:1350] Load finished, num keys read: $(cat /fake/read)"
  if [ -e /fake/log-file ]; then echo "$line" >/tmp/dragonfly.INFO; else echo "$line" >&2; fi
fi
while :; do sleep 1 & wait $!; done
`

const dockerfile = `FROM infra-testbed/dragonfly:1
RUN rm -f "$(command -v redis-server)" "$(command -v redis-cli)"
COPY redis-cli dragonfly /usr/local/bin/
ENTRYPOINT []
`

/** The head of a snapshot file, with something behind it. */
export function part(fields: readonly (readonly [string, string])[]): Buffer {
  const text = (value: string) => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)])
  const records = fields.flatMap(([key, value]) => [Buffer.from([0xfa]), text(key), text(value)])
  return Buffer.concat([Buffer.from("REDIS0009"), ...records, Buffer.from([0xff]), Buffer.alloc(4096)])
}

const id = "0123456789abcdef0123456789abcdef"
/** A whole set of two shards. */
export const whole = {
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

/** What the server says, by file: `keyspace-before`, `keyspace-after`, `stats-...`, `wrote`, `read`, `loaded`, `log-file`. */
export type Said = Readonly<Record<string, string>>

const quiet = "keyspace_mutations:7\nexpired_keys:0\nevicted_keys:0\n"
const silent: Said = {
  "keyspace-before": "db0:keys=5,expires=1,avg_ttl=0\n",
  "keyspace-after": "db0:keys=5,expires=1,avg_ttl=0\n",
  "stats-before": quiet,
  "stats-after": quiet,
  wrote: "rdb_string:3\nrdb_hash:2\n",
  read: "5",
  loaded: "db0:keys=5,expires=1,avg_ttl=0\n",
}

/** A stand-in for Dragonfly in a container with a volume; it saves these files and says this. */
export async function dragonflyGround(files: Readonly<Record<string, Buffer>>, said: Said = {}) {
  const project = `t-redis-df-${process.pid}-${Math.random().toString(36).slice(2, 6)}`
  const name = `${project}-cache-1`
  const image = `infra-testbed/dragonfly-like:${process.pid}`
  const [fake, backups] = [mkdtempSync(join(tmpdir(), "t-redis-")), mkdtempSync(join(tmpdir(), "t-redis-"))]
  chmodSync(fake, 0o755)
  const say = (more: Said) => {
    for (const [file, text] of Object.entries(more)) writeFileSync(`${fake}/${file}`, text)
  }
  for (const [file, text] of [
    ["redis-cli", client],
    ["dragonfly", server],
  ] as const)
    writeFileSync(`${fake}/${file}`, text, { mode: 0o755 })
  say({ ...silent, ...said, Dockerfile: dockerfile })
  await sh("docker", "build", "--quiet", "--label", "infra-actions.testbed=1", "--tag", image, fake)
  for (const [file, bytes] of Object.entries(files)) writeFileSync(`${fake}/${file}.dfs`, bytes)
  const labels = [
    "infra-actions.testbed=1",
    `com.docker.compose.project=${project}`,
    "com.docker.compose.service=cache",
    "com.docker.compose.container-number=1",
    "com.docker.compose.oneoff=False",
    "com.docker.compose.config-hash=x",
  ].flatMap((label) => ["--label", label])
  await sh("docker", "volume", "create", "--label", "infra-actions.testbed=1", name)
  const mounts = ["-v", `${fake}:/fake:ro`, "-v", `${name}:/data`]
  await sh("docker", "run", "-d", "--name", name, ...labels, ...mounts, image, "dragonfly")
  const host = localHost()
  const parsed = configSchema.parse({ project, host: { address: "local" }, services: { cache: { kind: "dragonfly" } } })
  const stack = composeStack({ host, config: { ...parsed, environment: "test" } })
  const config = parsed.services.cache
  assert(config)
  return {
    host,
    backups,
    say,
    service: { name: "cache", kind: "dragonfly", config, host, stack, backups } as const,
    async container() {
      const [container] = await stack.containers("cache")
      assert(container)
      return container
    },
    left: () => sh("docker", "exec", name, "ls", "/data"),
    async [Symbol.asyncDispose]() {
      await sh("docker", "rm", "-f", name)
      await sh("docker", "volume", "rm", name)
      await sh("docker", "rmi", image)
      for (const folder of [fake, backups]) rmSync(folder, { recursive: true })
      await host[Symbol.asyncDispose]()
    },
  }
}
