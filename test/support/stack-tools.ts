import { type Config, configSchema } from "../../src/core/config.ts"
import { layout } from "../../src/core/layout.ts"
import { composeStack } from "../../src/docker/compose-stack.ts"
import type { Host } from "../../src/host/host.ts"
import { localHost } from "../../src/host/local.ts"
import type { Work } from "../../src/host/work.ts"
import { systemClock } from "../../src/job/clock.ts"
import { type Logger, silentLogger } from "../../src/job/logger.ts"
import type { Tools } from "../../src/job/tools.ts"
import { containerDriver } from "../../src/service/container.ts"
import { coturnDriver } from "../../src/service/coturn.ts"
import type { ServiceDriver } from "../../src/service/driver.ts"
import { httpDriver } from "../../src/service/http.ts"
import { openviduDriver } from "../../src/service/openvidu.ts"
import { redisDriver } from "../../src/service/redis/redis-driver.ts"
import type { StackPlace } from "../testbed/testbed.ts"
import { directWork } from "./direct-work.ts"

/** The host as user `deploy` sees it: may use Docker, may not read the data directories. */
export function deployHost(): Host {
  return localHost({ shell: ["runuser", "-u", "deploy", "--", "sh"] })
}

export interface StackToolsOptions {
  readonly host?: Host
  readonly work?: Work
  readonly config?: Partial<Pick<Config, "app" | "services" | "thresholds" | "compose">>
  readonly log?: Logger
  readonly sha?: string
  readonly drivers?: readonly ServiceDriver[]
}

/** What a job gets, over one of the testbed's stacks, without lock and keeper. */
export function stackTools(place: Pick<StackPlace, "project" | "baseDir">, options: StackToolsOptions = {}): Tools {
  const host = options.host ?? deployHost()
  const parsed = configSchema.parse({
    project: place.project,
    host: { address: "local", directory: place.baseDir },
    compose: { files: ["docker-compose.prod.yml", "docker-compose.override.yml"] },
  })
  const config: Config = { ...parsed, environment: "production", ...options.config }
  return {
    config,
    layout: layout(config),
    host,
    stack: composeStack({ host, config }),
    drivers: options.drivers ?? [redisDriver(), httpDriver(), coturnDriver(), openviduDriver(), containerDriver()],
    stores: [],
    work: options.work ?? directWork(host),
    lease: undefined,
    definition: [],
    log: options.log ?? silentLogger,
    clock: systemClock,
    run: { id: "test", attempt: "1", actor: "tester", url: "", sha: options.sha ?? "" },
    signal: new AbortController().signal,
  }
}
