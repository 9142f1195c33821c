import { failure } from "../../core/errors.ts"
import { askUrl } from "../../service/http-status.ts"
import type { Tools } from "../tools.ts"

const tries = 5

/**
 * Asks `app.health-url` from the host until it answers well, five times at most, two seconds apart. Fails with
 * `health-url-unreachable` or `health-url-wrong`: no answer and a wrong one are two different things. Does nothing without
 * a URL; a host that has nothing to ask with is warned of.
 */
export async function assertAnswers(tools: Tools): Promise<void> {
  const url = tools.config.app["health-url"]
  if (url === undefined) return
  await tools.work.check("health-url", () => ask(tools, url), undefined)
}

async function ask(tools: Tools, url: string): Promise<void> {
  for (let left = tries - 1; ; left--) {
    const answer = await askUrl(tools.host, url, 10_000)
    if (answer.kind === "unable") {
      tools.log.warning(`${url} was not asked: ${answer.reason}`)
      return
    }
    if (answer.kind === "answered" && answer.status >= 200 && answer.status < 300) return
    if (left === 0) {
      throw answer.kind === "answered"
        ? failure("health-url-wrong", `${url} answered ${answer.status}`)
        : failure("health-url-unreachable", `${url} cannot be reached from the host: ${answer.reason}`, {
            hint: "When the old release answers there, the new one does not listen; else correct app.health-url.",
          })
    }
    await tools.clock.sleep(2000, tools.signal)
  }
}
