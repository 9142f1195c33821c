import type { Check, Health } from "../core/health.ts"
import { containerCheck, healthOf } from "./container.ts"
import type { Service, ServiceDriver } from "./driver.ts"
import { askUrl, type HttpAnswer } from "./http-status.ts"

/** Services that answer HTTP at their `url`, asked from the host; without one their container is all that is looked at. */
export function httpDriver(): ServiceDriver {
  return { kinds: ["http"], probe: async (service, container) => probe(service, containerCheck(container)) }
}

async function probe({ config, host }: Service, container: Check): Promise<Health> {
  if (config.url === undefined || container.state === "failed") {
    return { state: healthOf([container]), checks: [container], details: {} }
  }
  const answer = await askUrl(host, config.url, config.timeout)
  const checks = [container, httpCheck(answer, config.url)]
  const details = answer.kind === "answered" ? { "http-status": answer.status, ...timeOf(answer) } : {}
  return { state: healthOf(checks), checks, details }
}

/** A check from an answer: any 2xx is well. */
export function httpCheck(answer: HttpAnswer, url: string): Check {
  const name = "http"
  switch (answer.kind) {
    case "answered": {
      const well = answer.status >= 200 && answer.status < 300
      return { name, state: well ? "ok" : "failed", detail: `${url} answered ${answer.status}` }
    }
    case "unreachable":
      return { name, state: "failed", detail: `${url} cannot be reached: ${answer.reason}` }
    case "unable":
      return { name, state: "unknown", detail: answer.reason }
  }
}

function timeOf({ milliseconds }: { readonly milliseconds: number | undefined }) {
  return milliseconds === undefined ? {} : { "response-milliseconds": Math.round(milliseconds) }
}
