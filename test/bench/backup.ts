import { parseArgs } from "node:util"
import { formatBytes } from "../../src/core/bytes.ts"
import { removeStack } from "../testbed/testbed.ts"
import { type BackupGround, backupGround, type Usage } from "./backup-ground.ts"
import { type ByHand, byHand } from "./by-hand.ts"
import { describeMeasured, type Measured, measurePair, type Pair, seconds } from "./pairs.ts"

const slot = 15
const help = `script/bench backup [--size GB] [--rounds N] [--only TEXT] [--all] [--clean]
  --size    GB of data, 2 unless told; kept in the testbed's stack ${slot} for the next run, unless a test of the docs takes it
  --rounds  rounds of each pair that takes seconds, 3 unless told; those against gzip take one
  --only    only pairs in whose words TEXT stands; none, with "none"
  --all     time per GB from 0.1 to 4 GB, too
  --clean   remove the stack with its data, and measure nothing`

const { values: options } = parseArgs({
  options: {
    size: { type: "string", default: "2" },
    rounds: { type: "string", default: "3" },
    only: { type: "string", default: "" },
    all: { type: "boolean", default: false },
    clean: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
})
const show = (line: string) => console.log(line)

if (options.help) show(help)
else if (options.clean) await removeStack({ slot })
else process.exitCode = (await measure()) ? 0 : 1

async function measure(): Promise<boolean> {
  await using ground = await backupGround(slot)
  const gigabytes = numberOf("size")
  const size = await ground.fill("bench", gigabytes)
  show(`Database of ${formatBytes(size)} in ${ground.container}; ours are the built actions over SSH, lock and all`)
  show(
    `S3 is a versitygw of its own with its bytes in memory (${ground.s3.folder}): it stands for one elsewhere, but for the processor, which it shares`,
  )
  const used: Usage[] = []
  const pairs = pairsOf(ground, byHand(ground, "bench"), used).filter((one) =>
    `${one.ours} ${one.theirs}`.includes(options.only),
  )
  if (pairs.length === 0 && options.only !== "none") throw new Error(`no pair has "${options.only}" in its words`)
  const measured: Measured[] = []
  for (const pair of pairs) measured.push(await measurePair(pair, show))
  show("")
  for (const one of measured) show(describeMeasured(one))
  const isLight = used.length === 0 || reportUsage(used)
  const isFlat = options.all ? await measureSizes(ground) : true
  return isLight && isFlat && measured.every((one) => one.isMet)
}

function numberOf(name: "size" | "rounds"): number {
  const number = Number(options[name])
  if (!(number > 0)) throw new Error(`--${name} is ${options[name]}: it takes a number above 0`)
  return number
}

function pairsOf(ground: BackupGround, hand: ByHand, used: Usage[]): readonly Pair[] {
  const timed = async (name: "backup" | "restore", withS3: boolean) => {
    const usage = await ground.act(name, { database: "bench", withS3 })
    used.push(usage)
    if (withS3) show(`${seconds(usage.s3)}  of the processor took the S3 server meanwhile`)
    if (name === "restore") await dropReplaced(ground)
    return usage.duration
  }
  const backup = () => timed("backup", false)
  const backupToS3 = () => timed("backup", true)
  const restore = () => timed("restore", false)
  const rounds = numberOf("rounds")
  const proven = "proven backup"
  const [dump, usual] = ["pg_dump -Fc --compress=zstd:1 to the same disk", "pg_dump | gzip, sha256sum, one PUT"]
  return [
    { ours: proven, theirs: dump, goal: 1.5, rounds, run: { ours: backup, theirs: hand.dump } },
    {
      ...{ ours: "backup with S3", theirs: "without", goal: 1.25, rounds },
      run: { ours: backupToS3, theirs: backup },
    },
    {
      ...{ ours: "restore beside, counted, analyzed, swapped", theirs: "docker cp, pg_restore -j2, ANALYZE" },
      ...{ goal: 1.15, rounds, run: { ours: restore, theirs: hand.restore } },
    },
    { ours: proven, theirs: "pg_dump -Fd -j2", goal: 0.35, rounds: 1, run: { ours: backup, theirs: hand.directory } },
    {
      ...{ ours: "backup with S3", theirs: usual, goal: 5, atLeast: true, rounds: 1 },
      run: { ours: backupToS3, theirs: hand.usualOut },
    },
    {
      ...{ ours: "restore", theirs: "gunzip | psql", goal: 3, atLeast: true, rounds: 1 },
      run: { ours: restore, theirs: hand.usualBack },
    },
  ]
}

async function dropReplaced({ sql }: BackupGround): Promise<void> {
  const names = await sql("postgres", "select datname from pg_database where datname ~ '__old_[0-9a-f]{8}$'")
  for (const name of names.split("\n").filter((one) => one !== ""))
    await sql("postgres", `drop database ${name} with (force)`)
}

function reportUsage(used: readonly Usage[]): boolean {
  const memory = Math.max(...used.map((one) => one.memory))
  const bytes = Math.max(...used.map((one) => one.bytes))
  const isLight = memory < 150e6 && bytes < 50e6
  show(
    `${isLight ? "ok    " : "MISSED"}  the runner's process: ${formatBytes(memory)} of memory, ${formatBytes(bytes)} read and written; goal under 150 MB, and no data`,
  )
  return isLight
}

/** Backups of databases of several sizes: what each GB takes beyond what every run takes. */
async function measureSizes(ground: BackupGround): Promise<boolean> {
  const found: { gigabytes: number; ours: number; dump: number }[] = []
  for (const gigabytes of [0.1, 0.5, 1, 2, 4]) {
    const database = gigabytes === 2 ? "bench" : `bench_${String(gigabytes).replace(".", "_")}`
    await ground.fill(database, gigabytes)
    const dump = await byHand(ground, database).dump()
    const { duration } = await ground.act("backup", { database, withS3: false })
    found.push({ gigabytes, ours: duration, dump })
    show(`${gigabytes} GB: backup ${seconds(duration)}, bare pg_dump ${seconds(dump)}`)
  }
  const [smallest, ...larger] = found
  if (!smallest) return false
  const rates = larger.map((one) => (one.ours - smallest.ours) / (one.gigabytes - smallest.gigabytes))
  const spread = Math.max(...rates) / Math.min(...rates)
  const isFlat = spread < 1.5
  show(
    `${isFlat ? "ok    " : "MISSED"}  each GB beyond the first 0.1: ${rates.map(seconds).join(", ")}; goal: apart by less than half`,
  )
  return isFlat
}
