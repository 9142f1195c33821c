import { posix } from "node:path"
import type { z } from "zod"
import { failure, messageOf } from "../core/errors.ts"
import { type Command, change, sh } from "../shell/command.ts"
import type { Tools } from "./tools.ts"

/** Shell text that writes a note down for later runs: whole, and on disk before anything that it tells of is done. */
export function writeNote(file: string, value: unknown): Command {
  const [folder, next, text] = [posix.dirname(file), `${file}.t`, JSON.stringify(value)]
  return change`( umask 077 && mkdir -p ${folder} && printf '%s\\n' ${text} >${next} && sync ${next} && mv -f ${next} ${file} && sync ${folder} )`
}

/** Shell text that takes a note away, on disk too: one that a power cut brought back would tell of what is long over. */
export function forgetNote(file: string): Command {
  return change`( rm -f ${file} && sync ${posix.dirname(file)} )`
}

/**
 * A note that a run left on the host, as its schema has it; undefined where there is none. Throws `note-unreadable` for an
 * empty or damaged one: nobody guesses about it.
 */
export async function readNote<T>(
  { host }: Pick<Tools, "host">,
  file: string,
  schema: z.ZodType<T>,
): Promise<T | undefined> {
  const { stdout } = await host.run(sh`if [ -e ${file} ]; then cat ${file}; else echo none; fi`)
  if (stdout === "none\n") return undefined
  try {
    return schema.parse(JSON.parse(stdout))
  } catch (error) {
    throw failure(
      "note-unreadable",
      `${file} on the host, where a run noted what it left, cannot be read: ${messageOf(error)}`,
      {
        hint: "See whether the stack serves what it should; restore a backup where it does not. Then rename the file and run this again.",
        cause: error,
      },
    )
  }
}
