import type { Unfinished } from "../core/decision.ts"
import { readUnfinished } from "./deploy-app/unfinished-note.ts"
import { readStoppedApp } from "./stopped-app-note.ts"
import type { Tools } from "./tools.ts"
import { readUpgrades } from "./upgrade-note.ts"
import { stillWaits } from "./writers.ts"

/** What the notes of earlier runs on the host say. A run that is at work at this moment counts as one that was cut off. */
export async function unfinishedOf(tools: Tools): Promise<Unfinished> {
  const [stopped, upgrades, deployment] = await Promise.all([
    readStoppedApp(tools),
    readUpgrades(tools),
    readUnfinished(tools),
  ])
  const waiting = await stillWaits(tools, stopped)
  // A restore, or an undo of one, that was cut off is finished or taken back by the next run.
  if (waiting && waiting.restoring === undefined && waiting.undoing === undefined) return "restore"
  const cutOff = waiting !== undefined || stopped?.awaits === "services"
  return cutOff || upgrades.length > 0 || deployment ? "run" : "no"
}
