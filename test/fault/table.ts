import type { Places } from "./campaign.ts"
import { type FaultName, faultNames } from "./faults.ts"
import type { Round } from "./round.ts"
import type { ActionName } from "./scenario.ts"
import { momentName } from "./tool.ts"

const heads: Readonly<Record<FaultName, string>> = {
  SIGINT: "SIGINT",
  SIGTERM: "SIGTERM",
  SIGKILL: "SIGKILL",
  "ssh-cut": "ssh-cut",
  "worker-kill": "worker",
  "disk-full": "disk",
  "dockerd-restart": "dockerd",
}

/** Rows lost at each step of each action by each fault; `-` where it was not struck, `!` where something else was wrong. */
export function faultTables(rounds: readonly Round[], places: Places): string {
  return [...new Set([...places.keys(), ...rounds.map((one) => one.strike.action)])]
    .map((action) => {
      const own = rounds.filter((one) => one.strike.action === action)
      // Where only some were asked for, nobody has looked what other steps there are.
      const steps = places.get(action) ?? own.map((one) => one.strike)
      return tableOf(action, [...new Set(steps.map(momentName))], own)
    })
    .join("\n\n")
}

function tableOf(action: ActionName, steps: readonly string[], rounds: readonly Round[]): string {
  const rows = steps.map((step) => [
    step,
    ...faultNames.map((fault) =>
      cell(rounds.filter(({ strike }) => strike.fault === fault && momentName(strike) === step)),
    ),
  ])
  const head = [`${action}: rows lost`, ...faultNames.map((fault) => heads[fault])]
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    cells.map((text, at) => (at === 0 ? text.padEnd(widths[at] ?? 0) : text.padStart(widths[at] ?? 0))).join("  ")
  return [line(head), widths.map((width) => "-".repeat(width)).join("  "), ...rows.map(line)].join("\n")
}

function cell(rounds: readonly Round[]): string {
  const hit = rounds.filter((one) => one.hit)
  if (hit.length === 0) return "-"
  const wrong = hit.some((one) => one.wrong.length > 0) ? "!" : ""
  return `${Math.max(...hit.map((one) => one.lost))}${wrong}`
}
