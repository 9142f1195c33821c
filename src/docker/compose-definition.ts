import { z } from "zod"
import { failure } from "../core/errors.ts"
import { parseGoDuration } from "./go-duration.ts"
import type { ServiceDefinition, StackDefinition } from "./stack.ts"
import { bindDevice } from "./volumes.ts"

/**
 * Reads the output of `docker compose config --format json`. It holds every secret of the stack in clear (compose
 * merges env files into `environment`), so neither the text nor an error about it is ever shown.
 */
export function parseDefinition(json: string): StackDefinition {
  const parsed = composeSchema.safeParse(parseJson(json))
  if (!parsed.success) {
    const where = parsed.error.issues.map((issue) => `${issue.path.join(".")} (${issue.code})`).join(", ")
    throw failure("compose-output", `compose printed a definition of another shape than known, at ${where}`, {
      hint: "Check the version of the compose plugin on the host: 2.20 or newer is known to work.",
    })
  }
  const { name, services, volumes, networks } = parsed.data
  const awaited = new Set(Object.values(services).flatMap((service) => awaitedToEnd(service.depends_on)))
  return {
    project: name,
    services: Object.entries(services).map(([key, service]) => toService(key, service, awaited.has(key))),
    volumes: Object.entries(volumes).map(([key, volume]) => ({
      key,
      name: volume?.name ?? key,
      device: bindDevice(volume?.driver_opts),
      external: volume?.external ?? false,
    })),
    networks: Object.entries(networks).map(([key, network]) => ({
      key,
      name: network?.name ?? key,
      external: network?.external ?? false,
    })),
  }
}

/**
 * Milliseconds that a container may take to become healthy, by Docker's own rules and defaults
 * (docs.docker.com, Dockerfile HEALTHCHECK): the start period, then `retries` rounds of interval and timeout.
 */
export function healthBudget(check: HealthCheck | undefined): number | undefined {
  if (!check || check.disable || check.test?.[0] === "NONE") return undefined
  const rounds = check.retries ?? 3
  return check.start_period + (check.interval + check.timeout) * rounds
}

const period = (fallback: number) =>
  z
    .string()
    .optional()
    .transform((text) => (text === undefined ? fallback : (parseGoDuration(text) ?? fallback)))

const healthSchema = z.object({
  test: z.array(z.string()).nullish(),
  disable: z.boolean().optional(),
  interval: period(30_000),
  timeout: period(30_000),
  start_period: period(0),
  retries: z.int().optional(),
})
type HealthCheck = z.output<typeof healthSchema>

const scalar = z.union([z.string(), z.number(), z.boolean()]).nullable()
const resource = z
  .object({
    name: z.string().optional(),
    external: z.boolean().optional(),
    driver_opts: z.record(z.string(), scalar).nullish(),
  })
  .nullable()

const serviceSchema = z.object({
  image: z.string().default(""),
  profiles: z.array(z.string()).default([]),
  stop_grace_period: period(10_000),
  healthcheck: healthSchema.nullish(),
  volumes: z
    .array(
      z.object({
        type: z.string(),
        source: z.string().default(""),
        target: z.string().default(""),
        read_only: z.boolean().default(false),
      }),
    )
    .nullish(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).nullish(),
  container_name: z.string().optional(),
  ports: z
    .array(z.object({ published: z.coerce.string().optional(), target: z.int(), protocol: z.string().default("tcp") }))
    .nullish(),
  networks: z.record(z.string(), z.unknown()).nullish(),
  environment: z.record(z.string(), scalar).nullish(),
  labels: z.record(z.string(), scalar).nullish(),
  scale: z.int().optional(),
  restart: z.string().optional(),
  deploy: z
    .object({
      replicas: z.int().optional(),
      restart_policy: z.object({ condition: z.string().default("any"), max_attempts: z.int().optional() }).nullish(),
    })
    .nullish(),
})

const composeSchema = z.object({
  name: z.string(),
  services: z.record(z.string(), serviceSchema),
  volumes: z.record(z.string(), resource).default({}),
  networks: z.record(z.string(), resource).default({}),
})

function toService(name: string, raw: z.output<typeof serviceSchema>, awaited: boolean): ServiceDefinition {
  return {
    name,
    image: raw.image,
    profiles: raw.profiles,
    stopGracePeriod: raw.stop_grace_period,
    healthBudget: healthBudget(raw.healthcheck ?? undefined),
    volumes: (raw.volumes ?? []).map(({ read_only, ...volume }) => ({ ...volume, readOnly: read_only })),
    networks: Object.keys(raw.networks ?? {}),
    dependsOn: Object.keys(raw.depends_on ?? {}),
    hasContainerName: raw.container_name !== undefined,
    publishedPorts: (raw.ports ?? []).flatMap(publishedPort),
    environment: Object.fromEntries(
      Object.entries(raw.environment ?? {}).map(([key, value]) => [key, undoubled(value)]),
    ),
    oneShot: awaited || String(raw.labels?.["infra-actions.one-shot"]) === "true",
    replicas: raw.scale ?? raw.deploy?.replicas ?? 1,
    restart: restartPolicy(raw),
  }
}

/** As compose gives it to a container: what `deploy` says goes first, in words of its own. */
function restartPolicy({ restart, deploy }: z.output<typeof serviceSchema>): string {
  if (!deploy?.restart_policy) return restart ?? "no"
  const { condition, max_attempts: attempts } = deploy.restart_policy
  if (condition === "on-failure") return attempts === undefined ? condition : `${condition}:${attempts}`
  return { none: "no", any: "always" }[condition] ?? condition
}

/** A port without `published` gets a free one of the host, so that copies do not collide; a range counts by its first. */
function publishedPort(port: { published?: string | undefined; target: number; protocol: string }) {
  const published = Number.parseInt(port.published ?? "", 10)
  return published > 0 ? [{ published, target: port.target, protocol: port.protocol }] : []
}

/** Compose leaves `$$` doubled in its output; the container sees one `$`. */
function undoubled(value: z.output<typeof scalar>): string {
  return value === null ? "" : String(value).replaceAll("$$", "$")
}

function awaitedToEnd(dependsOn: z.output<typeof serviceSchema>["depends_on"]): readonly string[] {
  return Object.entries(dependsOn ?? {})
    .filter(([, { condition }]) => condition === "service_completed_successfully")
    .map(([name]) => name)
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    // The parser's message quotes the text, which holds secrets.
    throw failure("compose-output", "compose printed a definition that is not JSON")
  }
}
