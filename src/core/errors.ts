/** Who has to act: the user (`input`), nobody because we declined on purpose (`refused`), or an operator (`failed`). */
export type ErrorKind = "input" | "refused" | "failed"

export interface ErrorDetails {
  /** What to do next, one sentence for the person who reads the log. */
  readonly hint?: string
  readonly cause?: unknown
}

/**
 * The one base of every error that this suite raises on purpose. `code` is stable and meant for machines, `message`
 * names what is wrong and where, `hint` says what to do next. Neither ever holds a secret's value.
 */
export class AppError extends Error {
  readonly kind: ErrorKind
  readonly code: string
  readonly hint: string | undefined

  constructor(kind: ErrorKind, code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = "AppError"
    this.kind = kind
    this.code = code
    this.hint = details.hint
  }
}

/** The user gave something wrong or incomplete: an input, `infra.yml`, a secret. Nothing was changed. */
export function inputError(code: string, message: string, details?: ErrorDetails): AppError {
  return new AppError("input", code, message, details)
}

/** A safety rule forbids going on. Nothing irreversible was done. */
export function refusal(code: string, message: string, details?: ErrorDetails): AppError {
  return new AppError("refused", code, message, details)
}

/** Something that should have worked did not. */
export function failure(code: string, message: string, details?: ErrorDetails): AppError {
  return new AppError("failed", code, message, details)
}

/** The message of anything thrown, for a log line. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
