import type { Check } from "../core/health.ts"
import type { Container } from "../docker/stack.ts"
import { remoteScript } from "../remote/scripts.ts"
import { script } from "../shell/command.ts"
import { containerCheck, healthOf } from "./container.ts"
import type { Service, ServiceDriver } from "./driver.ts"

/** TURN servers: they must answer a STUN binding request, by their own client inside the container, else by the host's `nc`. */
export function coturnDriver(): ServiceDriver {
  return {
    kinds: ["coturn"],
    async probe(service, container) {
      const docker = containerCheck(container)
      const checks = docker.state === "failed" ? [docker] : [docker, await bind(service, container)]
      return { state: healthOf(checks), checks, details: {} }
    },
  }
}

async function bind({ config, host }: Service, container: Container): Promise<Check> {
  const seconds = Math.max(1, Math.ceil(config.timeout / 1000))
  // A container in the host's network has no address of its own.
  const address = container.networks.find((one) => one.address !== "")?.address ?? "127.0.0.1"
  const arguments_ = [container.id, config.port ?? 3478, address, seconds]
  const command = script("read", remoteScript("stun-probe"), arguments_)
  const { code, stdout, stderr } = await host.run(command, { allow: "any", timeout: 2 * config.timeout + 10_000 })
  const name = "stun-binding"
  if (code === 0) return { name, state: "ok", detail: `answered a binding request (${stdout.trim()})` }
  if (code === 10) {
    return { name, state: "unknown", detail: "neither the container has turnutils_stunclient nor the host nc" }
  }
  return { name, state: "failed", detail: `no answer to a binding request${said(stderr)}` }
}

function said(stderr: string): string {
  const last = stderr.trim().split("\n").at(-1)
  return last ? `: ${last}` : ""
}
