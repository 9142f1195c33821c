import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { type LoadReport, runLoad } from "../testbed/load.ts"
import type { Testbed } from "../testbed/testbed.ts"
import type { Consumer } from "./consumer.ts"
import type { Outputs, RunTool } from "./run-tool.ts"

export interface Ground {
  readonly bed: Testbed
  readonly consumer: Consumer
  readonly tool: RunTool
}

/** What a branch did, and what it should have done. */
export interface BranchReport {
  readonly jobs: string
  /** Requests that the app failed to answer; undefined where nobody asked. */
  readonly failedRequests?: number
  /** Requests in all, and resets of reused idle connections, for the footnote. */
  readonly load?: LoadReport
  /** Only what was committed before this time (epoch milliseconds) must still be there. */
  readonly before?: number
}

export interface Branch {
  readonly name: string
  /** Jobs, in order, that the decision matrix gives. */
  readonly expected: string
  run(ground: Ground): Promise<BranchReport>
}

export const branches: readonly Branch[] = [
  {
    name: "first run, nothing known",
    expected: "backup recreate verify deploy-app verify-deploy",
    run: async (ground) => jobsOf(await pipeline(ground, "v1")),
  },
  { name: "nothing changed", expected: "", run: async (ground) => jobsOf(await pipeline(ground, "v1")) },
  { name: "app changed", expected: "deploy-app verify-deploy", run: changeApp },
  { name: "infrastructure changed", expected: "backup recreate verify", run: changeInfrastructure },
  { name: "a container stopped", expected: "debug verify", run: stopContainer },
  { name: "data directory destroyed", expected: "restore", run: destroyData },
]

async function changeApp(ground: Ground): Promise<BranchReport> {
  ground.consumer.commit("src/app.js", "// version 2\n")
  const asking = new AbortController()
  const url = `http://127.0.0.1:${ground.bed.stack.httpPort}/version`
  const load = runLoad({ url, rate: 100, slowShare: 0.1, signal: asking.signal })
  try {
    const report = jobsOf(await pipeline(ground, "v2"))
    asking.abort()
    const seen = await load
    const served = seen.versions["2"] ?? 0
    if (served === 0) throw new Error(`version 2 never answered: ${JSON.stringify(seen)}`)
    return { ...report, failedRequests: seen.failed, load: seen }
  } finally {
    asking.abort()
  }
}

async function changeInfrastructure(ground: Ground): Promise<BranchReport> {
  const file = "docker-compose.prod.yml"
  const text = readFileSync(join(ground.consumer.directory, file), "utf8")
  ground.consumer.commit(file, text.replace("shm_size: 256m", "shm_size: 320m"))
  return jobsOf(await pipeline(ground, "v2"))
}

async function stopContainer(ground: Ground): Promise<BranchReport> {
  docker("stop", container(ground, "postgres"))
  return jobsOf(await pipeline(ground, "v2"))
}

/** The worst night: the database's files are gone, and so is every backup on the host. S3 has the last one. */
async function destroyData(ground: Ground): Promise<BranchReport> {
  const before = Date.now()
  const backup = await ground.tool("backup")
  const postgres = container(ground, "postgres")
  docker("kill", postgres)
  const { baseDir } = ground.bed.stack
  execFileSync("sh", ["-c", 'rm -rf "$1"/data/postgres/base "$1"/data/postgres/global "$1"/backups/*', "sh", baseDir])
  const restored = await ground.tool("restore", "--backup-id", String(backup["backup-id"]), "--source", "s3")
  if (restored.source !== "s3") throw new Error(`restored from ${restored.source} instead of S3`)
  return { jobs: "restore", before }
}

async function pipeline({ tool, bed }: Ground, version: string): Promise<Outputs> {
  const image = `${bed.registry}/sample-app:${version}`
  return tool("pipeline", "--images", `api=${image}\nworker=${image}`)
}

function jobsOf(outputs: Outputs): BranchReport {
  return { jobs: String(outputs["jobs-run"]).replaceAll(/=success/g, "") }
}

function container({ bed }: Ground, service: string): string {
  const { project } = bed.stack
  return docker(
    "ps",
    "--quiet",
    "--filter",
    `label=com.docker.compose.project=${project}`,
    "--filter",
    `label=com.docker.compose.service=${service}`,
  )
}

function docker(...words: readonly string[]): string {
  return execFileSync("docker", words, { encoding: "utf8" }).trim()
}
