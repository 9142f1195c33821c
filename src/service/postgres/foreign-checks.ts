import type { DumpScan } from "../../core/dump-scan.ts"
import { unrestorableExtensions } from "./unrestorable-extensions.ts"

/** Why a foreign dump is not restored into `database`, one line each; empty when it can be. `major` and `available` are the server's. */
export function foreignObjections(
  scan: DumpScan,
  {
    database,
    major,
    available,
  }: { readonly database: string; readonly major: number; readonly available: readonly string[] },
): readonly string[] {
  const from = Number.parseInt(scan.serverVersion ?? "0", 10)
  const extensions = scan.extensions.map((name) => ({ name }))
  const missing = scan.extensions.filter((one) => !available.includes(one))
  return [
    ...scan.problems
      .slice(0, 10)
      .map((one) => `${reasons[one.code]}${one.line > 0 ? ` (line ${one.line}: ${one.what})` : ""}`),
    ...(scan.serverVersion !== undefined && !scan.complete ? ["it is cut off: pg_dump's last line is missing"] : []),
    ...(from > major ? [`it is of PostgreSQL ${from}, the server is ${major}`] : []),
    ...(missing.length > 0 ? [`the server does not have the extensions ${missing.join(", ")}`] : []),
    ...unrestorableExtensions([{ name: database, extensions }]).map((one) => `it cannot bring back ${one}`),
  ]
}

const reasons: Record<DumpScan["problems"][number]["code"], string> = {
  "meta-command": "it holds a command of psql, which can run programs",
  program: "it runs a program with COPY",
  "server-file": "it reads or writes a file of the server with COPY",
  superuser: "it does what only a superuser may",
  restrict: "it holds a forged \\restrict, which can run programs",
  setting: "it changes how psql or the server reads what follows",
  copy: "it holds a COPY in another form than pg_dump writes",
  unclear: "it can be read in more than one way",
  "cut-off": "it ends in the middle of something",
}
