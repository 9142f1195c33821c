import type { Check } from "../core/health.ts"
import type { Manifest } from "../core/manifest.ts"
import { checkBackupAge } from "./backup-age.ts"
import { checkInfra } from "./check-infra.ts"
import { assertConfigured } from "./configured-services.ts"
import { dataServices } from "./stack-services.ts"
import { findBackup } from "./stores.ts"
import type { Tools } from "./tools.ts"
import { checkPerformance, checkReadiness } from "./verify-app.ts"

export interface VerifyOptions {
  /** Compare the data with this backup's counts; `latest` for the newest; nothing to compare with unless told. */
  readonly backupId?: string
  /** Only these sections; all of them unless told. The others have no checks. */
  readonly sections?: readonly Section[]
  /** Longest age in milliseconds of the newest proven backup in each store; not looked at unless told. */
  readonly backupMaxAge?: number
}

export const sections = ["infrastructure", "data-integrity", "application-readiness", "performance", "backups"] as const
export type Section = (typeof sections)[number]

export interface VerifyResult {
  /** `failed` when any check failed or could not run: what is not known is not verified (S11). */
  readonly status: "success" | "failed"
  readonly sections: Readonly<Record<Section, readonly Check[]>>
  readonly timestamp: string
}

/** Looks at the whole stack from all sides, or those asked for, and changes nothing. */
export async function verify(tools: Tools, options: VerifyOptions = {}): Promise<VerifyResult> {
  const { backupId, backupMaxAge, sections: asked = sections } = options
  const manifest =
    backupId === undefined ? undefined : (await findBackup(tools, backupId, "auto", { services: "all" })).manifest
  const looks: Readonly<Record<Section, () => Promise<readonly Check[]>>> = {
    infrastructure: () => checkInfrastructure(tools),
    "data-integrity": () => checkIntegrity(tools, manifest),
    "application-readiness": () => checkReadiness(tools),
    performance: () => checkPerformance(tools),
    backups: async () => (backupMaxAge === undefined ? [] : checkBackupAge(tools, backupMaxAge)),
  }
  const checks = await Promise.all(
    sections.map(async (section) => [section, asked.includes(section) ? await looks[section]() : []] as const),
  )
  return {
    status: checks.flatMap(([, found]) => found).every(passed) ? "success" : "failed",
    sections: Object.fromEntries(checks) as Record<Section, readonly Check[]>,
    timestamp: tools.clock.now().toISOString(),
  }
}

export function passed(check: Check): boolean {
  return check.state === "ok" || check.state === "warning"
}

async function checkInfrastructure(tools: Tools): Promise<readonly Check[]> {
  const { checks } = await checkInfra(tools)
  return checks
}

async function checkIntegrity(tools: Tools, manifest: Manifest | undefined): Promise<readonly Check[]> {
  await assertConfigured(tools)
  const services = await dataServices(tools)
  const checks = await Promise.all(
    services.map(async ({ driver, service, container }): Promise<readonly Check[]> => {
      if (!container) return [{ name: service.name, state: "failed", detail: "has no container" }]
      const held = manifest?.services.find((one) => one.service === service.name)
      return (await driver.verify?.(service, container, held)) ?? []
    }),
  )
  return checks.flat()
}
