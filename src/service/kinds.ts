import type { ServiceKind } from "../core/config.ts"

/**
 * The kind of a service by the last part of its image's name, whatever registry or mirror it comes from:
 * `postgres:17`, `registry.example.org/mirror/postgres@sha256:...`. What nobody knows is a plain `container`.
 */
export function serviceKind(image: string): ServiceKind {
  const name = imageName(image)
  return known.find(([, pattern]) => pattern.test(name))?.[0] ?? "container"
}

/** In this order: an exporter, a pooler or an admin page of a database is not that database. */
const known: readonly (readonly [ServiceKind, RegExp])[] = [
  ["container", /exporter|pgbouncer|pgpool|pgadmin|commander|backup|operator|sentinel|insight/],
  ["postgres", /^(postgres|postgresql|postgis|timescaledb|timescaledb-ha|pgvector|supabase-postgres)$/],
  ["dragonfly", /^dragonfly$/],
  ["valkey", /^(valkey|valkey-bundle)$/],
  ["redis", /^(redis|redis-stack|redis-stack-server|keydb)$/],
  ["openvidu", /^openvidu-(server|server-ce|server-pro|call|v2compatibility)$/],
  ["coturn", /^(coturn|openvidu-coturn)$/],
  ["http", /^(nginx|nginx-unprivileged|traefik|caddy|httpd|haproxy)$/],
]

/** Without registry, folders, tag and digest. A port of the registry is no tag. */
function imageName(image: string): string {
  const last = image.split("@")[0]?.split("/").at(-1) ?? ""
  return (last.split(":")[0] ?? "").toLowerCase()
}
