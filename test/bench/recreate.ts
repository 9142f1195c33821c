import { execFile, spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { text } from "node:stream/consumers"
import { setTimeout as pause } from "node:timers/promises"
import { promisify } from "node:util"
import { bundle } from "../../script/build-steps/bundle.ts"
import { removeStack, resetStack, type StackPlace, testbed } from "../testbed/testbed.ts"
import { type Probe, startProbe } from "./probe.ts"

/** Downtime of the app over a recreation, against the bare command on the same stack, in turn. */
const slot = Number(process.env.BENCH_SLOT ?? 14)
const pairs = Number(process.argv[2] ?? 5)
const goal = 1.3

const execute = promisify(execFile)
const scratch = mkdtempSync(join(tmpdir(), "infra-actions-bench-"))
try {
  const [place] = await Promise.all([resetStack({ slot, app: "v1" }), bundle(join(scratch, "dist"))])
  writeFileSync(join(scratch, "infra.yml"), configuration(place))
  await measure(place)
} finally {
  await removeStack({ slot })
  rmSync(scratch, { recursive: true, force: true })
}

/** Milliseconds. */
interface Measured {
  readonly nginx: number
  readonly direct: number
}

interface Pair {
  readonly bare: Measured
  readonly ours: Measured
  readonly fingerprint: number
}

async function measure(place: StackPlace): Promise<void> {
  console.log(`Downtime of the app in ms, ${pairs} pairs, a probe every 50 ms: through nginx, and to the app's own address.
bare      docker compose --profile infrastructure --profile app up -d --force-recreate
recreate  infra-actions recreate, over SSH, its backup made before
`)
  await using nginx = startProbe(async () => `http://127.0.0.1:${place.httpPort}/health`)
  await using direct = startProbe(() => ownAddress(place))
  const probes = { nginx, direct }
  await run(["backup"])
  const rows: Pair[] = []
  for (let pair = 1; pair <= pairs; pair += 1) {
    const bare = await during(probes, () => compose(place, "up", "-d", "--force-recreate"))
    const { outputs } = await run(["backup"])
    let times: Times = new Map()
    const ours = await during(probes, async () => {
      times = (await run(["recreate", "--backup-id", outputs["backup-id"] ?? ""])).times
    })
    const one = { bare, ours, fingerprint: times.get("fingerprint") ?? Number.NaN }
    rows.push(one)
    console.log(`${pair}  ${told(one)}`)
    if (process.env.BENCH_STEPS) for (const [step, time] of times) console.log(`     ${step.padEnd(28)} ${whole(time)}`)
  }
  summarize(rows)
}

function summarize(rows: readonly Pair[]): void {
  const ratios = (probe: keyof Measured) =>
    rows.map(({ bare, ours, fingerprint }) => (ours[probe] - fingerprint) / bare[probe])
  const shown = (["nginx", "direct"] as const).map((probe) => `${probe} ${median(ratios(probe)).toFixed(2)}`).join(", ")
  console.log(`
Median of recreate less its fingerprint (${whole(median(rows.map((one) => one.fingerprint)))} ms) ÷ bare: ${shown}; the goal is ${goal} or less`)
}

function told({ bare, ours, fingerprint }: Pair): string {
  const both = ({ nginx, direct }: Measured) => `nginx ${whole(nginx)} direct ${whole(direct)}`
  return `bare: ${both(bare)}   recreate: ${both(ours)}   fingerprint ${whole(fingerprint)}`
}

/** Downtime over one change, seen from before it until everything answers again for a second. */
async function during(
  probes: { readonly nginx: Probe; readonly direct: Probe },
  change: () => Promise<void>,
): Promise<Measured> {
  await Promise.all([probes.nginx.steady(), probes.direct.steady()])
  const from = performance.now() - 500
  await change()
  await Promise.all([probes.nginx.steady(), probes.direct.steady()])
  await pause(1200)
  return { nginx: probes.nginx.downtime(from), direct: probes.direct.downtime(from) }
}

/** Milliseconds of each step, from its announcement to the next one's. */
type Times = ReadonlyMap<string, number>

async function run(words: readonly string[]): Promise<{ outputs: Record<string, string>; times: Times }> {
  const { ssh } = testbed(slot)
  const env = { PATH: process.env.PATH, SSH_KEY_FILE: ssh.keyPath, SSH_KNOWN_HOSTS_FILE: ssh.knownHostsPath }
  const program = join(scratch, "dist/cli/index.js")
  const child = spawn(process.execPath, [program, ...words, "--json"], {
    cwd: scratch,
    // One and the same run: recreate demands a backup of its own.
    env: { ...env, HOME: scratch, USER: "bench", GITHUB_RUN_ID: String(process.pid) },
    stdio: ["ignore", "pipe", "pipe"],
  })
  const closed = new Promise<number | null>((resolve) => child.on("close", resolve))
  const times = new Map<string, number>()
  const lines: string[] = []
  let last: { readonly step: string; readonly at: number } | undefined
  createInterface(child.stderr).on("line", (line) => {
    lines.push(line)
    const [, step] = /^▸ (.*)$/.exec(line) ?? []
    if (step === undefined) return
    if (last) times.set(last.step, performance.now() - last.at)
    last = { step, at: performance.now() }
  })
  const [out, code] = await Promise.all([text(child.stdout), closed])
  if (code !== 0) throw new Error(`${words.join(" ")} ended with ${code}\n${lines.join("\n")}`)
  if (last) times.set(last.step, performance.now() - last.at)
  return { outputs: JSON.parse(out), times }
}

async function compose({ project, baseDir }: StackPlace, ...words: readonly string[]): Promise<void> {
  const files = ["--env-file", ".env.production", "-f", "docker-compose.prod.yml", "-f", "docker-compose.override.yml"]
  const profiles = ["--profile", "infrastructure", "--profile", "app"]
  const command = ["docker", "compose", "-p", project, ...files, ...profiles, ...words]
  await execute("runuser", ["-u", "deploy", "--", "env", "-C", baseDir, ...command])
}

/** Undefined while it has none. */
async function ownAddress({ project }: StackPlace): Promise<string | undefined> {
  const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
  try {
    const { stdout } = await execute("docker", ["inspect", "-f", format, `${project}-api-1`])
    return stdout.trim() === "" ? undefined : `http://${stdout.trim()}:3000/health`
  } catch {
    return undefined // there is no container of that name at this moment
  }
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2
}

function whole(milliseconds: number): string {
  return milliseconds.toFixed(0)
}

function configuration({ project, baseDir, httpPort }: StackPlace): string {
  const { ssh } = testbed(slot)
  return JSON.stringify({
    project,
    host: { address: ssh.address, port: ssh.port, user: ssh.user, directory: baseDir },
    compose: { files: ["docker-compose.prod.yml", "docker-compose.override.yml"] },
    app: { "health-url": `http://127.0.0.1:${httpPort}/health`, proxy: { service: "nginx" } },
    backup: { retention: { last: 1, daily: 0, weekly: 0, monthly: 0 } },
  })
}
