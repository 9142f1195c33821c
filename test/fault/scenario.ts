import assert from "node:assert/strict"
import { setTimeout as pause } from "node:timers/promises"
import { type Ground, installedDefinition, openGround } from "./ground.ts"
import { appRuns, lostRows, postgresMajor, runningImages, versions } from "./look.ts"
import { good } from "./loop.ts"
import { distance } from "./resting-writer.ts"
import type { Ended } from "./tool.ts"

export const actionNames = ["backup", "restore", "recreate", "upgrade", "deploy"] as const
export type ActionName = (typeof actionNames)[number]

/** What a lane works on: a ground, and what the rounds before have left on it. */
export interface Site extends AsyncDisposable {
  readonly ground: Ground
  /** The newest backup of this run, empty when another state was restored since, and how many there were. */
  backup: string
  backups: number
  /** The backup that a restore brings back, with the writer's record of then. */
  restorable: { readonly id: string; readonly record: string; readonly number: number } | undefined
  /** Deployments so far: each brings another version. */
  deployments: number
}

/** The run after a struck one. */
export interface Next {
  readonly name: string
  run(): Promise<void>
}

/** An action that is struck: what it needs before, what comes next, and what must be true then. */
export interface Scenario {
  /** Makes the ground ready, and gives the words of the command line. */
  prepare(site: Site): Promise<readonly string[]>
  /** After a run that nothing has struck. */
  settleGood?(site: Site, ended: Ended): Promise<void>
  /** The `index` makes rounds differ. */
  next(site: Site, index: number, words: readonly string[]): Next
  /** Rows and keys that are not as they have to be; undefined when a store does not answer. At once, and after the next run. */
  lost(site: Site, when: "struck" | "settled"): Promise<number | undefined>
  /** The step with which the writer comes to rest, as the app does: what is written later may be taken back. */
  readonly restsAt?: string
  /** What else is wrong after the next run. */
  wrong?(site: Site): Promise<readonly string[]>
}

export async function openSite(slot: number, action: ActionName): Promise<Site> {
  const ground = await openGround(slot, action === "upgrade" ? 15 : 17)
  return {
    ...{ ground, backup: "", backups: 0, restorable: undefined, deployments: 0 },
    [Symbol.asyncDispose]: () => ground[Symbol.asyncDispose](),
  }
}

/** Whether the next round of an action may use what the last one left. */
export async function fits({ ground }: Site, action: ActionName): Promise<boolean> {
  return (await postgresMajor(ground)) === (action === "upgrade" ? 15 : 17)
}

async function backUp(site: Site): Promise<void> {
  backedUp(site, await good(site.ground, ["backup"]))
}

function backedUp(site: Site, { outputs }: Ended): void {
  site.backup = String(outputs["backup-id"])
  site.backups += 1
}

const lost: Scenario["lost"] = ({ ground }) => lostRows(ground)

const backup: Scenario = {
  async prepare(site) {
    // The third has something to remove: only then a backup has every step.
    while (site.backups < 2) await backUp(site)
    return ["backup"]
  },
  settleGood: async (site, ended) => backedUp(site, ended),
  next: (site) => ({ name: "backup", run: () => backUp(site) }),
  lost,
}

const recreate: Scenario = {
  async prepare(site) {
    if (site.backup === "") await backUp(site)
    site.ground.changeDefinition()
    return ["recreate", "--backup-id", site.backup]
  },
  next: (site, index) =>
    index % 4 === 1
      ? {
          name: "backup, recreate",
          async run() {
            await backUp(site)
            await good(site.ground, ["recreate", "--backup-id", site.backup])
          },
        }
      : { name: "backup", run: () => backUp(site) },
  lost,
}

/**
 * From 15 to 17: whatever strikes it, either the old server serves everything or the new one does. An upgrade that is
 * undone keeps what was written to the new server aside, so only what was committed before the app was stopped counts.
 */
const upgrade: Scenario = {
  restsAt: "stop-writers",
  prepare: recreate.prepare,
  next: backup.next,
  lost,
  async wrong({ ground }) {
    const [serves, definition] = [await postgresMajor(ground), installedDefinition(ground)]
    // The other way round the next recreate brings what the definition says.
    if (serves === 15 || definition.includes("infra-testbed/postgres:17")) return []
    return ["PostgreSQL 17 serves, and the definition on the host is still that of 15"]
  },
}

/** Exactly the backup or exactly what was there before, in both stores alike, wherever the app runs; the backup at last. */
const restore: Scenario = {
  async prepare(site) {
    const { writer } = site.ground
    await writer.rest()
    // An older one is soon taken away by retention.
    if (site.restorable?.number !== site.backups) {
      await backUp(site)
      site.restorable = { id: site.backup, record: `${site.ground.ledger}.${site.backup}`, number: site.backups }
      writer.save(site.restorable.record)
    }
    writer.work()
    await pause(1000)
    await writer.rest()
    return ["restore", "--backup-id", site.restorable.id]
  },
  settleGood: async (site) => restored(site),
  next(site, index, words) {
    const again = async () => {
      await good(site.ground, words)
      restored(site)
    }
    if (index % 2 === 0) return { name: "restore", run: again }
    return {
      name: "backup, restore",
      async run() {
        await backUp(site)
        assert.equal(
          await mixed(site),
          0,
          "after the backup the app runs on data that is neither the old nor the backup's",
        )
        await again()
      },
    }
  },
  lost: async (site, when) => (when === "struck" ? mixed(site) : either(site, [site.ground.ledger])),
}

function restored(site: Site): void {
  site.ground.writer.load(site.restorable?.record ?? "")
  site.backup = ""
}

/** Rows that differ from the nearer of the two states; none where the app is kept from them. */
async function mixed(site: Site): Promise<number | undefined> {
  if (!appRuns(site.ground)) return 0
  return either(site, [site.ground.ledger, site.restorable?.record ?? ""])
}

async function either({ ground }: Site, records: readonly string[]): Promise<number | undefined> {
  try {
    const found = await Promise.all(records.map((record) => distance(record, ground.urls)))
    return Math.min(...found.map(({ postgres, redis }) => postgres + redis))
  } catch {
    return undefined // a server that the struck run has stopped: asked again when it serves
  }
}

const deploy: Scenario = {
  async prepare(site) {
    site.deployments += 1
    const image = `${site.ground.registry}/sample-app:v${(site.deployments % 3) + 1}`
    return ["deploy-app", "--images", `api=${image}\nworker=${image}`]
  },
  next: (site, index, words) =>
    index % 2 === 0
      ? { name: "backup", run: () => backUp(site) }
      : { name: "deploy", run: async () => void (await good(site.ground, words)) },
  lost,
  wrong: async ({ ground }) => {
    const [served, images] = [await versions(ground), await runningImages(ground, ["api", "worker"])]
    return [
      ...(served.length === 1 ? [] : [`versions ${served.join(", ")} answer`]),
      ...(new Set(images).size === 1 ? [] : [`api and worker run different images: ${images.join(", ")}`]),
    ]
  },
}

export const scenarios: Readonly<Record<ActionName, Scenario>> = { backup, restore, recreate, upgrade, deploy }
