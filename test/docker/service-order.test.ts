import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { inDependencyOrder, stopWaves } from "../../src/docker/service-order.ts"
import type { ServiceDefinition } from "../../src/docker/stack.ts"
import { stopInOrder } from "../../src/job/stop-in-order.ts"
import { change } from "../../src/shell/command.ts"
import { container } from "../support/container.ts"

const service = (name: string, ...dependsOn: readonly string[]) => ({ name, dependsOn }) as unknown as ServiceDefinition

/** Services without a cycle, in any order: each needs some of those before it. */
const stacks = fc
  .array(fc.array(fc.nat(9), { maxLength: 3 }), { maxLength: 10 })
  .map((needs) =>
    needs.map((some, at) => service(`s${at}`, ...new Set(some.filter((one) => one < at).map((one) => `s${one}`)))),
  )
  .chain((all) => fc.shuffledSubarray(all, { minLength: all.length }))

describe("the order of services", () => {
  it("starts each after what it needs, and stops it before that", () => {
    fc.assert(
      fc.property(stacks, (services) => {
        const started = inDependencyOrder(services).map(({ name }) => name)
        const waves = stopWaves(services).map((wave) => wave.map(({ name }) => name))
        assert.deepEqual(waves.flat().toSorted(), services.map(({ name }) => name).toSorted())
        const wave = (name: string) => waves.findIndex((one) => one.includes(name))
        for (const { name, dependsOn } of services)
          for (const needed of dependsOn) {
            assert.ok(started.indexOf(name) > started.indexOf(needed))
            assert.ok(wave(name) < wave(needed), `${name} needs ${needed}: ${JSON.stringify(waves)}`)
          }
      }),
    )
  })

  it("stops one group after the other, and goes no further when one does not stop", () => {
    const stop = (some: readonly { readonly id: string }[]) => change`stop ${some.map(({ id }) => id)}`
    const services = [service("api"), service("worker", "api"), service("proxy", "api"), service("idle", "worker")]
    const containers = ["api", "worker", "proxy"].map((name) => container({ id: name, service: name }))
    const { text } = stopInOrder({ stop }, services, containers)
    assert.equal(text, "stop 'proxy' || exit\nstop 'worker' || exit\nstop 'api'".replaceAll("'", ""))
  })
})
