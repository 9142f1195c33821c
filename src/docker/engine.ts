import { type AppError, failure, inputError } from "../core/errors.ts"
import { CommandError, type Host, type RunOptions, type RunResult } from "../host/host.ts"
import { type Command, sh } from "../shell/command.ts"

/** What is wrong with Docker itself on the host; none of these says anything about the stack. */
export type EngineFault =
  | "engine-hung"
  | "engine-down"
  | "engine-denied"
  | "docker-missing"
  | "compose-missing"
  | "compose-files-missing"
  | "compose-env-file-missing"
  | "compose-env-file-invalid"
  | "compose-invalid"

/** Seconds that a look at the engine may take before it counts as hung. */
const patience = 20

/**
 * Prefix of every docker call that only looks: a stopped daemon hangs for ever (it accepts the connection and says
 * nothing), so the call is ended on the host. Give `docker` and its arguments after it.
 */
export const limited = sh`timeout -k 2 ${patience}`

/**
 * Runs a command that looks at the engine. Throws an error of its own code for each way in which Docker itself can
 * fail (`EngineFault`), `CommandError` for any other exit code that is not allowed.
 */
export async function askEngine(host: Host, command: Command, options: RunOptions = {}): Promise<RunResult> {
  const result = await host.run(command, { ...options, allow: "any" })
  const allowed = options.allow ?? [0]
  if (allowed === "any" || allowed.includes(result.code)) return result
  throw engineError(result, host.name) ?? new CommandError(result)
}

/** Names the fault behind a failed docker call; undefined when Docker itself is not to blame. */
export function engineError(result: Pick<RunResult, "code" | "stderr">, host: string): AppError | undefined {
  const fault = engineFault(result)
  if (!fault) return undefined
  const said = withoutValues(result.stderr).trim().split("\n").slice(-3).join(" / ")
  const { what, hint } = words[fault]
  const raise = fault.startsWith("compose-") ? inputError : failure
  return raise(fault, `${what} on ${host}${said ? `: ${said}` : ""}`, { hint })
}

/**
 * Compose quotes the value that it cannot read, or takes a part of it for a variable's name: it may be a secret. All that
 * follows goes with it, for a value may have lines. Of a file of variables the place stays, and the reason where it is fixed text.
 */
function withoutValues(stderr: string): string {
  return stderr
    .replace(/(You may need to escape any \$ with another \$).*/s, "$1")
    .replaceAll(/^.*variable is not set\..*\n?/gm, "")
    .replace(unreadFile, (_, place: string, rest: string) => place + (fixedReason.exec(rest)?.[0] ?? "cannot be read"))
}

/** Of `compose.env-file` compose names the file, of a service's `env_file` only the line, and not always that. */
const unreadFile =
  /(failed to read \/[^\n]*?: (?:line \d+: )?|^line \d+: |^(?=Invalid template|required variable))(.*)/ms
const fixedReason =
  /^(Invalid template|unterminated quoted value|unexpected character|key cannot contain a space|required variable)/

/** Which fault an exit code and standard error tell of (`timeout` ends with 124, busybox's with 143, both 137 after KILL). */
export function engineFault({ code, stderr }: Pick<RunResult, "code" | "stderr">): EngineFault | undefined {
  if (code === 0) return undefined
  if (code === 124 || code === 143 || code === 137) return "engine-hung"
  return signs.find(([, pattern]) => pattern.test(stderr))?.[0]
}

const signs: readonly (readonly [EngineFault, RegExp])[] = [
  ["engine-denied", /permission denied while trying to connect|dial unix \S+: connect: permission denied/i],
  ["engine-down", /cannot connect to the docker daemon|error during connect|is the docker daemon running/i],
  ["compose-missing", /'compose' is not a docker command|unknown shorthand flag: '\w' in -\w|unknown flag: --ansi/i],
  ["docker-missing", /docker['"]?: (command )?not found|failed to run command .?docker|can't execute 'docker'/i],
  ["compose-env-file-missing", /couldn't find env file|env file \S+ not found/i],
  ["compose-env-file-invalid", /failed to read \/|^line \d+: |^Invalid template|^required variable/m],
  ["compose-files-missing", /(open|stat) \S+\.ya?ml: no such file|no configuration file provided|can't cd to|cd: /i],
  ["compose-invalid", /^validating |yaml: |interpolat|required variable|undefined (service|volume|network)|invalid /im],
]

const words: Record<EngineFault, { readonly what: string; readonly hint: string }> = {
  "engine-hung": {
    what: "the Docker daemon does not answer",
    hint: "The daemon accepts connections and stays silent: look at `journalctl -u docker`, then restart it.",
  },
  "engine-down": { what: "the Docker daemon is not running", hint: "Start it: `systemctl start docker`." },
  "engine-denied": {
    what: "this user may not use Docker",
    hint: "Add the user of `host.user` to the group `docker`, or log in as a user who is in it.",
  },
  "docker-missing": { what: "Docker is not installed", hint: "Install Docker Engine with the compose plugin." },
  "compose-missing": {
    what: "Docker has no compose plugin",
    hint: "Install `docker-compose-plugin` (compose v2); the old `docker-compose` program does not do.",
  },
  "compose-files-missing": {
    what: "a file of `compose.files`, or the base directory, is missing",
    hint: "Put the compose files into the base directory, or correct `compose.files` and `host.directory`.",
  },
  "compose-env-file-missing": {
    what: "the file of `compose.env-file` is missing",
    hint: "Put the environment file into the base directory (mode 600), or correct `compose.env-file`.",
  },
  "compose-env-file-invalid": {
    what: "compose cannot read an environment file of the stack",
    hint: "Correct the named line of `compose.env-file`, or of a service's `env_file`, on the host; its value is not shown here.",
  },
  "compose-invalid": {
    what: "compose does not accept the stack's files",
    hint: "Run `docker compose config --quiet` in the base directory and correct what it names.",
  },
}
