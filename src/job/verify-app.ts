import { formatDuration } from "../core/duration.ts"
import type { Check } from "../core/health.ts"
import { sh } from "../shell/command.ts"
import { servicesOf } from "./stack-services.ts"
import type { Tools } from "./tools.ts"

/** Milliseconds that the app gets to become ready again, for example after its database was started. */
const patience = 60_000

/** Whether every deployed service of the app is up and its health URL answers well; waits a minute for it. */
export async function checkReadiness(tools: Tools): Promise<readonly Check[]> {
  const start = tools.clock.now().getTime()
  for (;;) {
    const checks = await lookReady(tools)
    const isOver = tools.clock.now().getTime() - start > patience
    if (isOver || checks.every((check) => check.state !== "failed")) return checks
    await tools.clock.sleep(1000, tools.signal)
  }
}

async function lookReady(tools: Tools): Promise<readonly Check[]> {
  const services = await servicesOf(tools, "app")
  const copies = services.flatMap((one) => one.container ?? [])
  if (copies.length === 0) return [{ name: "app", state: "warning", detail: "was never deployed here" }]
  const checks = services.map(({ service, container }): Check => {
    if (!container) return { name: service.name, state: "failed", detail: "has no container" }
    const well = container.state === "running" && (container.health ?? "healthy") === "healthy"
    const detail = [container.state, container.health].filter(Boolean).join(", ")
    return { name: service.name, state: well ? "ok" : "failed", detail }
  })
  const url = tools.config.app["health-url"]
  return url === undefined ? checks : [...checks, await answers(tools, url)]
}

/** Response time of the health URL and use of memory, against the thresholds. A slow answer is a warning, not a failure. */
export async function checkPerformance(tools: Tools): Promise<readonly Check[]> {
  const url = tools.config.app["health-url"]
  const timed = url === undefined ? [] : [await responseTime(tools, url)]
  return [...timed, ...(await memoryUse(tools))]
}

async function answers(tools: Tools, url: string): Promise<Check> {
  const { code, stdout, stderr } = await tools.host.run(sh`curl -sS -o /dev/null -m 10 -w '%{http_code}' ${url}`, {
    allow: "any",
  })
  if (code === 127) return { name: "health-url", state: "unknown", detail: "the host has no curl" }
  if (code !== 0) return { name: "health-url", state: "failed", detail: stderr.trim() || `curl ended with ${code}` }
  return { name: "health-url", state: /^2\d\d$/.test(stdout) ? "ok" : "failed", detail: `${url} answered ${stdout}` }
}

/** The best of five: one slow answer says more about the moment than about the app. */
async function responseTime(tools: Tools, url: string): Promise<Check> {
  const { code, stdout } = await tools.host.run(
    sh`for i in 1 2 3 4 5; do curl -sS -o /dev/null -m 10 -w '%{time_total}\n' ${url} || exit; done`,
    { allow: "any" },
  )
  if (code !== 0) return { name: "response-time", state: "unknown", detail: `curl ended with exit code ${code}` }
  const best = Math.min(...stdout.trim().split("\n").map(Number)) * 1000
  const limit = tools.config.thresholds["response-time"]
  const detail = `${formatDuration(best)}, at most ${formatDuration(limit)} wanted`
  return { name: "response-time", state: best <= limit ? "ok" : "warning", detail }
}

async function memoryUse(tools: Tools): Promise<readonly Check[]> {
  const limit = tools.config.thresholds.memory
  const used = await tools.stack.stats()
  return used
    .filter((one) => one.memoryLimit > 0)
    .map(({ service, memory, memoryLimit }) => ({
      name: `memory ${service}`,
      state: memory / memoryLimit > limit ? "warning" : "ok",
      detail: `${Math.round(memory / 1_048_576)} of ${Math.round(memoryLimit / 1_048_576)} MiB`,
    }))
}
