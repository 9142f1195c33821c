import { request } from "node:http"
import { setTimeout as pause } from "node:timers/promises"

/** Milliseconds between two probes. */
const interval = 50

/** Looks at one URL all the time, beginning a probe every 50 ms whether or not the last one has ended. */
export interface Probe extends AsyncDisposable {
  /** Milliseconds that it did not answer in since `from`. */
  downtime(from: number): number
  /** Waits until it has answered for half a second without a break. */
  steady(): Promise<void>
}

/** When one probe began and ended, by `performance.now()`, and whether the answer was 200. */
export interface Answer {
  readonly began: number
  readonly ended: number
  readonly good: boolean
}

/** `address` is asked again whenever there was no good answer: what answers next may have another one. */
export function startProbe(address: () => Promise<string | undefined>): Probe {
  const answers: Answer[] = []
  const stop = new AbortController()
  const looking = look(address, answers, stop.signal)
  return {
    downtime: (from) => downtime(answers.filter((one) => one.began >= from)),
    async steady() {
      for (const until = performance.now() + 120_000; performance.now() < until; await pause(interval)) {
        const recent = answers.filter((one) => one.began >= performance.now() - 500)
        if (recent.length >= 5 && recent.every((one) => one.good)) return
      }
      throw new Error("the app does not answer for two minutes")
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await looking
    },
  }
}

/**
 * From the start of the last good probe before the first bad one to the end of the first good one after the last bad one;
 * answers come in any order. Throws when it was not good before, or is not good again.
 */
export function downtime(answers: readonly Answer[]): number {
  const inOrder = answers.toSorted((a, b) => a.began - b.began)
  const first = inOrder.findIndex((one) => !one.good)
  if (first < 0) return 0
  const [before, after] = [inOrder[first - 1], inOrder[inOrder.findLastIndex((one) => !one.good) + 1]]
  if (before && after) return after.ended - before.began
  throw new Error("the app did not answer before, or does not answer again")
}

async function look(address: () => Promise<string | undefined>, answers: Answer[], signal: AbortSignal): Promise<void> {
  let url = await address()
  let asking = false
  const pending = new Set<Promise<void>>()
  const refresh = async () => {
    if (asking) return
    asking = true
    url = await address()
    asking = false
  }
  while (!signal.aborted) {
    const began = performance.now()
    const one = isGood(url).then((good) => {
      answers.push({ began, ended: performance.now(), good })
      return good ? undefined : refresh()
    })
    pending.add(one)
    void one.finally(() => pending.delete(one))
    await pause(interval)
  }
  await Promise.all(pending)
}

function isGood(url: string | undefined): Promise<boolean> {
  if (url === undefined) return Promise.resolve(false)
  return new Promise((resolve) => {
    const asked = request(url, { timeout: 1000, agent: false }, (response) => {
      response.resume()
      response.on("end", () => resolve(response.statusCode === 200)).on("error", () => resolve(false))
    })
    asked.on("timeout", () => asked.destroy()).on("error", () => resolve(false))
    asked.end()
  })
}
