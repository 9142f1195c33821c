import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"

/** Where everything of the testbed is; ports are on 127.0.0.1. */
export interface Testbed {
  readonly ssh: {
    readonly address: string
    readonly port: number
    /** A second sshd with the same users and keys: the jump host. */
    readonly jumpPort: number
    /** In the docker group; owns the base directory. */
    readonly user: string
    readonly users: readonly string[]
    readonly keyPath: string
    /** A key that no account accepts. */
    readonly refusedKeyPath: string
    readonly knownHostsPath: string
    /** Names another key for the same address. */
    readonly wrongKnownHostsPath: string
    /** Of the ed25519 host key, `SHA256:...`. */
    readonly fingerprint: string
  }
  readonly s3: S3Server
  readonly registry: string
  /** `name=value`, on everything that the testbed makes in Docker. */
  readonly label: string
  /** Folder of run state: keys, logs, the writer's record. */
  readonly state: string
  readonly stack: StackPlace
}

/** An S3 server with a bucket made for the tests, and its keys. */
export interface S3Server {
  readonly endpoint: string
  readonly region: string
  readonly bucket: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** One stack: slot 0 is the default one, 1 to 49 lie beside it on ports of their own. */
export interface StackPlace {
  readonly slot: number
  readonly project: string
  readonly baseDir: string
  readonly httpPort: number
  readonly postgresPort: number
  readonly redisPort: number
  readonly turnPort: number
}

export interface StackOptions {
  /** 0 to 49; 0 unless told. */
  readonly slot?: number
  /** Tag of the sample app, `v1` unless told. */
  readonly app?: string
  /** Postgres major, 17 unless told. */
  readonly postgres?: 15 | 17
  readonly infraOnly?: boolean
  /** The base directory lies on a disk of its own, of this size: `1g`. */
  readonly disk?: string
}

/** Reads what `script/setup` left. Throws when it was not run, saying so. */
export function testbed(slot = 0): Testbed {
  const state = process.env.INFRA_ACTIONS_STATE ?? "/var/lib/infra-actions-testbed"
  const env = readEnv(join(state, "env"))
  const port = (name: string) => Number(env(name))
  return {
    ssh: {
      address: env("SSH_HOST"),
      port: port("SSH_PORT"),
      jumpPort: port("JUMP_PORT"),
      user: env("SSH_USER"),
      users: env("SSH_USERS").split(" "),
      keyPath: env("SSH_KEY"),
      refusedKeyPath: env("SSH_KEY_REFUSED"),
      knownHostsPath: env("SSH_KNOWN_HOSTS"),
      wrongKnownHostsPath: env("SSH_KNOWN_HOSTS_WRONG"),
      fingerprint: env("SSH_FINGERPRINT"),
    },
    s3: {
      endpoint: env("S3_ENDPOINT"),
      region: env("S3_REGION"),
      bucket: env("S3_BUCKET"),
      accessKeyId: env("S3_ACCESS_KEY_ID"),
      secretAccessKey: env("S3_SECRET_ACCESS_KEY"),
    },
    registry: env("REGISTRY"),
    label: env("LABEL"),
    state,
    stack: {
      slot,
      project: slot ? `${env("PROJECT")}-${slot}` : env("PROJECT"),
      baseDir: slot ? `${env("BASE_DIR")}-${slot}` : env("BASE_DIR"),
      httpPort: port("HTTP_PORT") + slot,
      postgresPort: port("POSTGRES_PORT") + slot,
      redisPort: port("REDIS_PORT") + slot,
      turnPort: port("TURN_PORT") + slot,
    },
  }
}

/** Removes the stack's containers and data and starts it afresh; about 5 s. Rejects with the script's last words. */
export async function resetStack(options: StackOptions = {}): Promise<StackPlace> {
  await runStack("reset", options)
  return testbed(options.slot).stack
}

/** Removes the stack with its data and its base directory. */
export async function removeStack(options: Pick<StackOptions, "slot"> = {}): Promise<void> {
  await runStack("wipe", options)
}

/** How to reach the stack's stores through their published ports. The URLs hold the passwords of this testbed. */
export function storeUrls(place: StackPlace): { readonly postgres: string; readonly redis: string } {
  const env = readEnv(join(place.baseDir, ".env.production"))
  const postgres = `postgres://${env("POSTGRES_USER")}:${env("POSTGRES_PASSWORD")}@127.0.0.1:${place.postgresPort}/${env("POSTGRES_DB")}`
  return { postgres, redis: `redis://:${env("REDIS_PASSWORD")}@127.0.0.1:${place.redisPort}` }
}

async function runStack(command: string, options: StackOptions): Promise<void> {
  const args = ["--slot", String(options.slot ?? 0), ...(options.disk ? ["--disk", options.disk] : []), command]
  if (options.app) args.push("--app", options.app)
  if (options.postgres) args.push("--postgres", String(options.postgres))
  if (options.infraOnly) args.push("--infra-only")
  await promisify(execFile)(join(import.meta.dirname, "stack"), args, { timeout: 300_000 })
}

/** The lines of a KEY=VALUE file, quotes taken off. */
function readEnv(path: string): (name: string) => string {
  let text: string
  try {
    text = readFileSync(path, "utf8")
  } catch (error) {
    throw new Error(`The testbed is not up (${path} cannot be read): run script/setup as root first.`, { cause: error })
  }
  const values = new Map<string, string>()
  for (const [, name, value] of text.matchAll(/^([A-Za-z0-9_]+)="?(.*?)"?$/gm)) values.set(name ?? "", value ?? "")
  return (name) => {
    const value = values.get(name)
    if (value === undefined) throw new Error(`${path} has no ${name}: run script/setup again.`)
    return value
  }
}
