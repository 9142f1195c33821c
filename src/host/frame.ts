import { randomBytes } from "node:crypto"
import { quote } from "../shell/quote.ts"

/**
 * The one command ever given to sshd, or run here: it reads a length, then that many bytes of script, and evaluates
 * them; what follows is the command's own input. Nothing in it varies, so any login shell passes it on, and nothing
 * shows in a process list. `dd` because dash and busybox read ahead and would eat the data behind the script: in one
 * block where it fills one from several reads (a script of 9 kB takes a fourteenth of the time), byte by byte elsewhere.
 */
export const bootstrap = `sh -c 'read -r n && { a="bs=1 count=$n"; dd iflag=fullblock count=0 </dev/null 2>/dev/null && a="bs=$n count=1 iflag=fullblock"; eval "$(dd $a 2>/dev/null)"; }'`

/** One command as it travels. Both output streams carry a line of `start` and the process group to
 * kill (0: none of its own), then the output, then a line of `end` and the exit code. */
export interface Frame {
  /** The length line and the script; the command's input follows them. */
  readonly bytes: Buffer
  readonly start: string
  readonly end: string
}

export interface FrameOptions {
  /** Does the command read what follows the script? Otherwise it reads end-of-file at once. */
  readonly input: boolean
  /** Milliseconds after which the host itself ends the command, should the client be gone by then. */
  readonly limit: number
}

/** Puts a command's text into a frame with marks that nobody can guess. */
export function frame(text: string, { input, limit }: FrameOptions): Frame {
  const [start, end] = [mark(), mark()]
  const script = Buffer.from(scriptOf(text, { start, end, seconds: Math.ceil(limit / 1000), input }))
  return { bytes: Buffer.concat([Buffer.from(`${script.length}\n`), script]), start, end }
}

/** Seconds between two looks of the watch. */
const watchStep = 3

interface ScriptParts {
  readonly start: string
  readonly end: string
  readonly seconds: number
  readonly input: boolean
}

/**
 * The text is one quoted word, so that a script cut short by a lost connection is a syntax error and never half a
 * command. sshd gives each command a process group of its own; when the shell or its parent (the login shell) leads it,
 * it holds nothing but this command and may be killed whole, by us or by the watch. The watch strikes at the limit, or
 * when the group's leader lost its parent: then the client is gone.
 */
function scriptOf(text: string, { start, end, seconds, input }: ScriptParts): string {
  return `{ read -r _ _ _ _ ia_group _ </proc/$$/stat; read -r _ _ _ ia_parent _ <"/proc/$ia_group/stat"; } 2>/dev/null
case $ia_group in $$ | $PPID) ;; *) ia_group=0 ;; esac
printf '%s %s\\n' ${start} "$ia_group"; printf '%s %s\\n' ${start} "$ia_group" >&2
PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" LC_ALL=C; export PATH LC_ALL; umask 077
(
  trap 'kill "$!" 2>/dev/null; exit' TERM
  left=${seconds}
  while [ "$left" -gt 0 ]; do
    nap=$((left < ${watchStep} ? left : ${watchStep})) left=$((left - ${watchStep}))
    sleep "$nap" & wait "$!"
    [ "$ia_group" != 0 ] || continue
    read -r _ _ _ parent _ <"/proc/$ia_group/stat" && [ "$parent" = "$ia_parent" ] || break
  done
  if [ "$ia_group" = 0 ]; then kill -KILL $$; else kill -KILL "-$ia_group"; fi
) </dev/null >/dev/null 2>&1 &
ia_watch=$!
( eval ${quote(text)} )${input ? "" : " </dev/null"}
set -- "$?"
kill "$ia_watch" 2>/dev/null
printf '\\n%s %s\\n' ${end} "$1"; printf '\\n%s %s\\n' ${end} "$1" >&2
`
}

function mark(): string {
  return `ia-${randomBytes(16).toString("hex")}`
}
