import type { Container } from "../../src/docker/stack.ts"

/** A running, healthy container as `docker inspect` would give it, with the fields that a test cares for. */
export function container(fields: Partial<Container> = {}): Container {
  return {
    id: "0".repeat(64),
    name: "shop-db-1",
    service: "db",
    state: "running",
    health: "healthy",
    healthOutput: "",
    error: "",
    restarts: 0,
    exitCode: 0,
    oomKilled: false,
    startedAt: "2026-01-01T00:00:00Z",
    finishedAt: "",
    image: "postgres:17",
    imageId: `sha256:${"1".repeat(64)}`,
    configHash: "",
    number: 1,
    restartPolicy: "unless-stopped",
    stopSignal: "SIGTERM",
    mounts: [],
    networks: [{ name: "shop_default", address: "172.18.0.2" }],
    pid: 1,
    ...fields,
  }
}
