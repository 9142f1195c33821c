import { z } from "zod"
import { type Command, change, sh } from "../shell/command.ts"
import type { NotedUpload } from "./backup-store.ts"
import type { S3Context } from "./s3-context.ts"
import type { OpenUpload } from "./s3-multipart.ts"

type Noting = Pick<S3Context, "bucket" | "options">

const noteSchema = z.object({ bucket: z.string(), key: z.string(), id: z.string(), at: z.string() })

/**
 * Writes down, durably, that an upload was begun, before anything is sent to it; ends the script that it stands in when that
 * is not possible. Its id is no secret: without the keys it opens nothing.
 */
export function noteUpload({ bucket, options }: Noting, { backup, key, id }: OpenUpload): Command {
  const note: z.output<typeof noteSchema> = { bucket: bucket.name, key, id, at: new Date().toISOString() }
  const file = `${options.notes}/${backup}.jsonl`
  // A line of its own, whatever a full disk has left of the one before.
  const text = `\n${JSON.stringify(note)}\n`
  return change`(umask 077 && mkdir -p ${options.notes} && printf %s ${text} >>${file} && sync ${file} ${options.notes}) || exit 1`
}

/** What earlier runs noted of this bucket and prefix, each upload once. */
export async function notedUploads({ bucket, options }: Noting): Promise<readonly NotedUpload[]> {
  const { host, notes, prefix } = options
  const { stdout } = await host.run(
    sh`for one in ${notes}/*.jsonl; do if [ -e "$one" ]; then echo "$one:" && cat "$one" || exit; fi; done`,
  )
  const found = new Map<string, NotedUpload>()
  let note = ""
  for (const line of stdout.split("\n")) {
    if (line.startsWith(notes)) note = line.slice(0, -1)
    const { data } = noteSchema.safeParse(parsed(line))
    if (data?.bucket !== bucket.name || !data.key.startsWith(prefix)) continue
    const { key, id, at } = data
    found.set(id, { note, key, path: key.slice(prefix.length), id, at })
  }
  return [...found.values()]
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    // Empty, or torn by a full disk: then nothing was sent to that upload.
    return undefined
  }
}
