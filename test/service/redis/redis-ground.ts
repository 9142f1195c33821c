import { execFile } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { type Config, configSchema } from "../../../src/core/config.ts"
import { composeStack } from "../../../src/docker/compose-stack.ts"
import type { Container } from "../../../src/docker/stack.ts"
import { localHost } from "../../../src/host/local.ts"
import type { Service } from "../../../src/service/driver.ts"

const run = promisify(execFile)
const images = { redis: "infra-testbed/dragonfly:1", valkey: "infra-testbed/valkey:1" }

/** Runs a program and gives its output. */
export async function sh(program: string, ...args: readonly string[]): Promise<string> {
  return (await run(program, args, { maxBuffer: 1 << 26 })).stdout
}

function piped(text: string | Buffer, program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { maxBuffer: 1 << 26 }, (error, stdout) =>
      error ? reject(error) : resolve(stdout.trim()),
    )
    child.stdin?.end(text)
  })
}

export interface RedisGround extends AsyncDisposable {
  readonly service: Service
  readonly name: string
  readonly volume: string
  readonly backups: string
  container(): Promise<Container>
  cli(...args: readonly string[]): Promise<string>
  /** The same with standard input. */
  pipe(text: string | Buffer, ...args: readonly string[]): Promise<string>
  /** Waits until it answers, as after a start. */
  ready(): Promise<void>
  /** Files in the data directory, one a line. */
  files(): Promise<string>
}

export interface RedisGroundOptions {
  /** `redis` unless told. */
  readonly product?: keyof typeof images
  /** After the command `redis-server`. */
  readonly args?: readonly string[]
  readonly password?: string
  /** Size of a small file system for the data directory, as `2m`. */
  readonly size?: string
  /** Directories below /data that are there before the first start. */
  readonly folders?: readonly string[]
  /** Files below /data that are there before the first start. */
  readonly texts?: Readonly<Record<string, string>>
  /** Instead of `redis-server` and its arguments. */
  readonly command?: readonly string[]
  readonly environment?: readonly string[]
}

/** A server of its own in a container with a volume, that goes away with the test. */
export async function redisGround(word: string, options: RedisGroundOptions = {}): Promise<RedisGround> {
  const { product = "redis" } = options
  const image = images[product]
  const project = `t-redis-${word}-${process.pid}`
  const name = `${project}-cache-1`
  const backups = mkdtempSync(join(tmpdir(), "t-redis-"))
  const small = options.size ? ["--opt", "type=tmpfs", "--opt", "device=tmpfs", "--opt", `o=size=${options.size}`] : []
  await sh("docker", "volume", "create", "--label", "infra-actions.testbed=1", ...small, name)
  const labels = [
    "infra-actions.testbed=1",
    `com.docker.compose.project=${project}`,
    "com.docker.compose.service=cache",
    "com.docker.compose.container-number=1",
    "com.docker.compose.oneoff=False",
    "com.docker.compose.config-hash=x",
  ].flatMap((label) => ["--label", label])
  const password = options.password === undefined ? [] : ["-e", `DFLY_requirepass=${options.password}`]
  const environment = (options.environment ?? []).flatMap((one) => ["-e", one])
  const more = options.command ?? [`${product}-server`, ...(options.args ?? [])]
  for (const folder of options.folders ?? [])
    await sh("docker", "run", "--rm", "--entrypoint", "mkdir", "-v", `${name}:/data`, image, "-p", `/data/${folder}`)
  for (const [file, text] of Object.entries(options.texts ?? {}))
    await piped(text, "docker", [
      "run",
      "--rm",
      "-i",
      "--entrypoint",
      "tee",
      "-v",
      `${name}:/data`,
      image,
      `/data/${file}`,
    ])
  await sh(
    "docker",
    "run",
    "-d",
    "--name",
    name,
    ...labels,
    ...password,
    ...environment,
    "-v",
    `${name}:/data`,
    image,
    ...more,
  )
  const host = localHost()
  const parsed = configSchema.parse({ project, host: { address: "local" }, services: { cache: { kind: product } } })
  const config: Config = { ...parsed, environment: "test" }
  const stack = composeStack({ host, config })
  const settings = parsed.services.cache
  if (settings === undefined) throw new Error("no settings")
  const at = options.args?.indexOf("--requirepass") ?? -1
  const given = at < 0 ? undefined : options.args?.[at + 1]
  const secret = options.password ?? given
  const auth = secret === undefined ? [] : ["-e", `REDISCLI_AUTH=${secret}`]
  const client = `${product}-cli`
  const cli = async (...args: readonly string[]) => (await sh("docker", "exec", ...auth, name, client, ...args)).trim()
  const ready = async () => {
    for (let tries = 0; (await cli("PING").catch(() => "")) !== "PONG"; tries++) {
      if (tries > 300) throw new Error(`${name} does not answer`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  await ready()
  return {
    service: { name: "cache", kind: product, config: settings, host, stack, backups },
    name,
    volume: name,
    backups,
    cli,
    ready,
    pipe: (text, ...args) => piped(text, "docker", ["exec", "-i", ...auth, name, client, ...args]),
    files: () =>
      sh("docker", "run", "--rm", "--entrypoint", "sh", "-v", `${name}:/data`, image, "-c", "cd /data && find ."),
    async container() {
      const [found] = await stack.containers("cache")
      if (found === undefined) throw new Error("no container")
      return found
    },
    async [Symbol.asyncDispose]() {
      await sh("docker", "rm", "-f", name)
      await sh("docker", "volume", "rm", name)
      rmSync(backups, { recursive: true })
      await host[Symbol.asyncDispose]()
    },
  }
}
