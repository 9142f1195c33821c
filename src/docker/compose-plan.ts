import type { Container } from "./stack.ts"

export interface PlannedAction {
  readonly service: string
  readonly action: "recreate" | "create" | "start" | "keep"
}

/**
 * Reads the text of `docker compose --dry-run up`: `Recreate` replaces a container, `Running` keeps it, `Creating`
 * makes one, `Starting` without either starts one that exists. Names are matched with the containers there are, else
 * with compose's own naming. Several copies of a service give its most drastic action.
 */
export function parsePlan(
  text: string,
  options: {
    readonly project: string
    readonly services: readonly string[]
    readonly containers: readonly Container[]
  },
): readonly PlannedAction[] {
  const seen = new Map<string, PlannedAction["action"]>()
  for (const [, name = "", word = ""] of text.matchAll(/DRY-RUN MODE -\s+Container (\S+)\s+(\w+)/g)) {
    const service = serviceOf(name, options)
    const action = actions[word]
    if (!service || !action) continue
    const before = seen.get(service)
    if (!before || severity.indexOf(action) > severity.indexOf(before)) seen.set(service, action)
  }
  return [...seen].map(([service, action]) => ({ service, action }))
}

const severity = ["keep", "start", "create", "recreate"] as const

const actions: Readonly<Record<string, PlannedAction["action"]>> = {
  Running: "keep",
  Starting: "start",
  Creating: "create",
  Recreate: "recreate",
}

function serviceOf(
  name: string,
  { project, services, containers }: Parameters<typeof parsePlan>[1],
): string | undefined {
  const plain = name.replace(/^[0-9a-f]{12}_/, "")
  return (
    containers.find((one) => one.name === name)?.service ??
    services.find((service) => plain === service || plain.replace(/-\d+$/, "") === `${project}-${service}`)
  )
}
