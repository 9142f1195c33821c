import { z } from "zod"
import { change, sh } from "../../shell/command.ts"
import type { Tools } from "../tools.ts"
import type { Issue } from "./diagnose.ts"

/** So many runs that found and failed to mend the same within `window` open the circuit. */
const limit = 3
const window = 3_600_000

/** Whether the same trouble was tried in vain so often lately that trying again would be a loop (S10). */
export async function circuitOpen(tools: Tools, issues: readonly Issue[]): Promise<boolean> {
  const file = historyFile(tools)
  const { stdout } = await tools.host.run(sh`if [ -e ${file} ]; then tail -n 50 ${file}; fi`)
  const since = tools.clock.now().getTime() - window
  const same = stdout.split("\n").filter((line) => {
    const entry = read(line)
    return entry && !entry.fixed && entry.trouble === trouble(issues) && Date.parse(entry.time) >= since
  })
  return same.length >= limit
}

/** Writes down how a run ended that tried fixes. */
export async function noteOutcome(tools: Tools, issues: readonly Issue[], fixed: boolean): Promise<void> {
  const file = historyFile(tools)
  const entry = JSON.stringify({ time: tools.clock.now().toISOString(), trouble: trouble(issues), fixed })
  await tools.work.step(
    "note-outcome",
    change`mkdir -p -m 700 ${tools.layout.state} && printf '%s\\n' ${entry} >>${file}`,
  )
}

const entrySchema = z.object({ time: z.string(), trouble: z.string(), fixed: z.boolean() })

function read(line: string): z.output<typeof entrySchema> | undefined {
  try {
    return entrySchema.safeParse(JSON.parse(line)).data
  } catch {
    // A torn last line: that run counts as not there.
    return undefined
  }
}

function trouble(issues: readonly Issue[]): string {
  return issues
    .map((issue) => `${issue.service}:${issue.cause}`)
    .toSorted()
    .join(" ")
}

function historyFile({ layout }: Pick<Tools, "layout">): string {
  return `${layout.state}/debug.jsonl`
}
