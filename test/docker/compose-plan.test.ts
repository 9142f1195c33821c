import assert from "node:assert/strict"
import { it } from "node:test"
import { parsePlan } from "../../src/docker/compose-plan.ts"

const text = ` DRY-RUN MODE -  Container shop-db-1  Running
 DRY-RUN MODE -  Container 0123456789ab_shop-api-2  Running
 DRY-RUN MODE -  Container shop-api-1  Recreate
 DRY-RUN MODE -  Container shop-api-1  Recreated
 DRY-RUN MODE -  Container shop-new-1  Creating
 DRY-RUN MODE -  Container shop-new-1  Created
 DRY-RUN MODE -  Container shop-new-1  Starting
 DRY-RUN MODE -  Container fixed  Starting
 DRY-RUN MODE -  Container fixed  Started
`

it("reads what a dry run of compose says, the most drastic action of each service", () => {
  const services = ["db", "api", "new", "fixed", "untouched"]
  assert.deepEqual(parsePlan(text, { project: "shop", services, containers: [] }), [
    { service: "db", action: "keep" },
    { service: "api", action: "recreate" },
    { service: "new", action: "create" },
    { service: "fixed", action: "start" },
  ])
})
