import type { z } from "zod"
import { sh } from "../shell/command.ts"
import type { Tools } from "./tools.ts"

/** A note that a run left on the host, as its schema has it; undefined where there is none. Throws when it cannot be read: nobody guesses about it. */
export async function readNote<T>(
  { host }: Pick<Tools, "host">,
  file: string,
  schema: z.ZodType<T>,
): Promise<T | undefined> {
  const { stdout } = await host.run(sh`if [ -e ${file} ]; then cat ${file}; fi`)
  return stdout.trim() === "" ? undefined : schema.parse(JSON.parse(stdout))
}
