import { z } from "zod"
import { failure } from "../../core/errors.ts"
import type { Fingerprint } from "../../core/fingerprint.ts"
import type { Container } from "../../docker/stack.ts"
import type { Service } from "../driver.ts"
import { ask } from "./inside.ts"
import { readServer } from "./server-facts.ts"

const sql = `select json_build_object('identifier', (select system_identifier::text from pg_control_system()),
  'checkpoint', checkpoint_lsn::text, 'timeline', timeline_id::text) from pg_control_checkpoint();`
const answerSchema = z.object({ identifier: z.string(), checkpoint: z.string(), timeline: z.string() })

/**
 * The cluster's identity and its latest checkpoint. A fresh initdb has another identifier, an older copy of the directory
 * an earlier checkpoint; right after a clean stop and start it is the very one of the stop, whoever writes since then.
 */
export async function fingerprintServer(service: Service, container: Container): Promise<Fingerprint> {
  await readServer(service, container)
  const [rows = []] = await ask(service, container, sql)
  const { identifier, checkpoint, timeline } = answerSchema.parse(JSON.parse(rows.join("\n") || "null"))
  return clusterFingerprint(service.name, { identifier, checkpoint, timeline })
}

/** The same facts from `pg_controldata` of a stopped cluster. Throws when one of them is not there. */
export function stoppedFingerprint(service: string, controldata: string): Fingerprint {
  const field = (name: string) => {
    const value = new RegExp(`^${name}: *(.+)$`, "m").exec(controldata)?.[1]
    if (value !== undefined) return value.trim()
    throw failure("postgres-controldata", `pg_controldata of ${service} does not tell its ${name}`)
  }
  return clusterFingerprint(service, {
    identifier: field("Database system identifier"),
    checkpoint: field("Latest checkpoint location"),
    timeline: field("Latest checkpoint's TimeLineID"),
  })
}

/** Bytes of a log position such as `16/B374D848`: two hexadecimal halves of 32 bits. */
export function lsnBytes(lsn: string): number {
  const [high, low] = lsn.split("/").map((half) => Number.parseInt(half, 16))
  const bytes = (high ?? Number.NaN) * 2 ** 32 + (low ?? Number.NaN)
  if (Number.isSafeInteger(bytes)) return bytes
  throw failure("postgres-lsn", `${JSON.stringify(lsn)} is no position in the write-ahead log`)
}

function clusterFingerprint(
  service: string,
  { identifier, checkpoint, timeline }: z.output<typeof answerSchema>,
): Fingerprint {
  return { service, same: { "system-identifier": identifier, timeline }, atLeast: { checkpoint: lsnBytes(checkpoint) } }
}
