import { containerDriver } from "./container.ts"
import { coturnDriver } from "./coturn.ts"
import type { ServiceDriver } from "./driver.ts"
import { httpDriver } from "./http.ts"
import { openviduDriver } from "./openvidu.ts"
import { postgresDriver } from "./postgres/index.ts"
import { redisDriver } from "./redis/redis-driver.ts"

/** Every driver there is; each kind of service has exactly one. */
export function serviceDrivers(): readonly ServiceDriver[] {
  return [postgresDriver(), redisDriver(), httpDriver(), coturnDriver(), openviduDriver(), containerDriver()]
}
