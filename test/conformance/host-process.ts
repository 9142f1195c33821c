import assert from "node:assert/strict"
import { setTimeout as sleep } from "node:timers/promises"
import { type Host, HostError, type HostFault } from "../../src/host/host.ts"
import { sh } from "../../src/shell/command.ts"

/** Is this process of the host alive, zombies not counted? */
export async function alive(host: Host, pid: number): Promise<boolean> {
  const state = sh`read -r _ _ state _ </proc/${pid}/stat && [ "$state" != Z ]`
  return (await host.run(state, { allow: "any" })).code === 0
}

export async function assertEnds(host: Host, pid: number, limit: number): Promise<void> {
  const until = performance.now() + limit
  while (await alive(host, pid)) {
    assert.ok(performance.now() < until, `process ${pid} still lives after ${limit} ms`)
    await sleep(100)
  }
}

export function fault(expected: HostFault): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof HostError, String(error))
    assert.equal(error.fault, expected, error.message)
    return true
  }
}

/** Starts a command that prints its pid and then says nothing. */
export async function startSilent(host: Host, options: Parameters<Host["stream"]>[1] = {}) {
  const running = host.stream(sh`sh -c 'echo $$; exec sleep 300'`, options)
  const first = await running.stdout[Symbol.asyncIterator]().next()
  return { ...running, pid: Number(String(first.value)) }
}
