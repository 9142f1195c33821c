import type { Readable } from "node:stream"
import { AppError, type ErrorDetails } from "../core/errors.ts"
import type { Command } from "../shell/command.ts"
import type { Secret } from "../shell/secret.ts"

/** What goes to a command's standard input; without one it reads end-of-file at once. */
export type Input = string | Uint8Array | Readable | Secret

export interface RunOptions {
  readonly input?: Input
  /** Milliseconds until the command is given up; 60 000 unless told. */
  readonly timeout?: number
  readonly signal?: AbortSignal
  /** Exit codes that are an answer rather than a failure; `[0]` unless told, `"any"` for all. */
  readonly allow?: readonly number[] | "any"
}

export interface RunResult {
  readonly command: Command
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  /** Milliseconds. */
  readonly duration: number
}

/** A command whose output is read while it runs. `done` rejects as `run` would: await it before trusting the bytes. */
export interface RunningCommand {
  readonly stdout: Readable
  readonly done: Promise<Omit<RunResult, "stdout">>
}

/**
 * Where commands run. One connection, at most 8 commands at once (more wait their turn), standard input and output
 * streamed. Success is exit code 0 (or one allowed): standard error proves nothing. Every failure is a `HostError` or
 * a `CommandError`, never a silent empty answer.
 */
export interface Host extends AsyncDisposable {
  /** How the host is called in messages: `deploy@203.0.113.7`. */
  readonly name: string
  run(command: Command, options?: RunOptions): Promise<RunResult>
  stream(command: Command, options?: RunOptions): RunningCommand
  /** Writes a whole file with the given mode (0o600 unless told) beside `path`, then renames it there. */
  upload(
    content: Input,
    path: string,
    options?: { readonly mode?: number; readonly signal?: AbortSignal },
  ): Promise<void>
  /** The bytes of a file; an error of the stream means that they are not all there. */
  download(path: string, options?: { readonly signal?: AbortSignal }): Readable
}

/** Why a host gave no answer: none of these says anything about the state of the stack. */
export type HostFault = "unreachable" | "authentication" | "host-key" | "lost" | "did-not-run" | "timeout" | "aborted"

/** The host, or the way to it, failed: it is not known what the command did. */
export class HostError extends AppError {
  readonly fault: HostFault

  constructor(fault: HostFault, message: string, details?: ErrorDetails) {
    super("failed", `host-${fault}`, message, details)
    this.name = "HostError"
    this.fault = fault
  }
}

/** The command ran and ended with an exit code that is not allowed. The message ends with its last error line. */
export class CommandError extends AppError {
  readonly result: RunResult

  constructor(result: RunResult) {
    super("failed", "command-failed", describe(result))
    this.name = "CommandError"
    this.result = result
  }
}

function describe({ command, code, stderr }: RunResult): string {
  const last = stderr.trimEnd().split("\n").at(-1)?.trim()
  const first = command.text.trim().split("\n")[0] ?? ""
  const shown = first.length > 80 ? `${first.slice(0, 79)}…` : first
  return `\`${shown}\` ended with exit code ${code}${last ? `: ${last}` : ""}`
}
