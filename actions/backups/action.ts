import { action } from "../../src/action/outcome.ts"
import { summaryTable } from "../../src/action/summary.ts"
import { withTools } from "../../src/action/with-tools.ts"
import type { BackupEntry, CopyDrill } from "../../src/core/backup-inventory.ts"
import { formatBytes } from "../../src/core/bytes.ts"
import { formatDuration } from "../../src/core/duration.ts"
import { applyRetention } from "../../src/job/apply-retention.ts"
import { knownDrills } from "../../src/job/known-drills.ts"
import { type LeftOnHost, leftOnHost } from "../../src/job/left-on-host.ts"
import { type BackupList, listBackups } from "../../src/job/list-backups.ts"
import { backupsContract } from "./contract.ts"

/** What is wrong with a copy or a store makes it `partial`: the list is right, the backups are not all as they should be. */
export const backupsAction = action(backupsContract, (inputs, context) => {
  const prunes = inputs.mode === "prune"
  return withTools(inputs, context, { name: "backups", mutates: prunes, usesStores: true }, async (tools) => {
    const reports = prunes ? await applyRetention(tools, await knownDrills(tools, tools.stores)) : []
    const list = await listBackups(tools, { verify: inputs.verify })
    const left = prunes ? { items: [], unknown: [] } : await leftOnHost(tools)
    for (const one of [...list.problems, ...left.unknown]) tools.log.warning(one)
    const { entries } = list
    const newest = entries.find(({ copies }) => copies.some(isGood))
    const pruneFailed = reports.some(({ failure }) => failure !== undefined)
    const reason = pruneFailed ? "prune-failed" : list.problems.length > 0 ? "problems-found" : "done"
    return {
      outputs: {
        status: reason === "done" ? "success" : "partial",
        reason: reason === "done" && prunes && tools.work.dryRun ? "dry-run" : reason,
        backups: JSON.stringify(entries.map(shown)),
        count: entries.length,
        removed: reports.flatMap(({ removed }) => removed).length,
        "newest-proven": newest?.id ?? "",
        "newest-age-seconds": newest ? Math.max(0, Math.floor(newest.age / 1000)) : -1,
        left: JSON.stringify(left.items.map(shownLeft)),
      },
      summary: `${summaryOf(list)}${summaryOfLeft(left)}`,
    }
  })
})

/** Proven, not disproved by its last drill, and nothing was found wrong with it now. */
function isGood({ proven, problems = [] }: BackupEntry["copies"][number]): boolean {
  return proven !== "unproven" && problems.length === 0
}

/** As the output has it: names of the outputs' own style, times in seconds. */
function shown({ age, copies, ...entry }: BackupEntry) {
  const held = copies.map(({ lockedUntil, drill, ...copy }) => ({
    ...copy,
    ...(lockedUntil && { "locked-until": lockedUntil }),
    ...(drill && { drill: renamed(drill) }),
  }))
  return { ...entry, "age-seconds": Math.floor(age / 1000), copies: held }
}

function renamed({ at, result, reason, rtoSeconds, rpoSeconds }: CopyDrill) {
  return { at, result, reason, "rto-seconds": rtoSeconds, "rpo-seconds": rpoSeconds }
}

function summaryOf({ entries, problems }: BackupList): string {
  const rows = entries.map(({ id, age, bytes, services, sync, copies }) => [
    id,
    age < 0 ? "in the future" : formatDuration(age),
    formatBytes(bytes),
    services.join(", "),
    copies.map(proof).join("; "),
    sync,
    copies.map(whyKept).join("; "),
  ])
  const table = summaryTable(
    `${entries.length} backups`,
    ["Backup", "Age", "Size", "Services", "Proven", "Stores", "Why kept"],
    rows,
  )
  return [table, ...problems.map((one) => `- **${one}**`), ""].join("\n")
}

function shownLeft({ age, ...item }: LeftOnHost["items"][number]) {
  return { ...item, "age-seconds": age === undefined ? null : Math.floor(age / 1000) }
}

const removals: Readonly<Record<LeftOnHost["items"][number]["removal"], string>> = {
  clean: "`restore` with `mode: clean`",
  "next-backup": "the next backup",
  "by-hand": "by hand, if nobody needs it: it does not say that it is ours",
}

function summaryOfLeft({ items, unknown }: LeftOnHost): string {
  if (items.length === 0 && unknown.length === 0) return ""
  const rows = items.map(({ name, what, bytes, age, removal }) => [
    name,
    what,
    formatBytes(bytes),
    age === undefined ? "unknown" : formatDuration(Math.max(0, age)),
    removals[removal],
  ])
  const table = summaryTable(
    `${items.length} things besides lie on the host`,
    ["Name", "What it is", "Size", "Age", "What removes it"],
    rows,
  )
  return [`\n${table}`, ...unknown.map((one) => `- **${one}**`), ""].join("\n")
}

function proof({ store, proven, drill }: BackupEntry["copies"][number]): string {
  if (!drill) return `${store}: ${proven}`
  const usable = drill.rtoSeconds === null ? "never usable" : `RTO ${formatDuration(drill.rtoSeconds * 1000)}`
  const measured = `${usable}, RPO ${formatDuration(drill.rpoSeconds * 1000)}`
  return `${store}: ${proven} (drill of ${drill.at.slice(0, 16)}Z: ${drill.result}, ${measured})`
}

function whyKept({ store, keep, reasons, lockedUntil }: BackupEntry["copies"][number]): string {
  const until = reasons.includes("locked") ? ` until ${lockedUntil}` : ""
  return `${store}: ${keep ? "" : "goes: "}${reasons.join(", ")}${until}`
}
