import assert from "node:assert/strict"
import { it } from "node:test"
import { serviceKind } from "../../src/service/kinds.ts"

for (const [image, kind] of [
  ["postgres:17", "postgres"],
  ["registry.example.org:5000/mirror/postgres:17@sha256:0", "postgres"],
  ["postgis/postgis:16-3.4", "postgres"],
  ["bitnami/postgresql:16", "postgres"],
  ["docker.dragonflydb.io/dragonflydb/dragonfly:v1.40.1", "dragonfly"],
  ["redis", "redis"],
  ["valkey/valkey:8", "valkey"],
  ["coturn/coturn:4.6", "coturn"],
  ["openvidu/openvidu-server:2.29.0", "openvidu"],
  ["nginx:1.28", "http"],
  ["prometheuscommunity/postgres-exporter", "container"],
  ["edoburu/pgbouncer", "container"],
  ["rediscommander/redis-commander", "container"],
  ["ghcr.io/org/api:1", "container"],
  ["", "container"],
] as const) {
  it(`${image || "no image"} is ${kind}`, () => assert.equal(serviceKind(image), kind))
}
