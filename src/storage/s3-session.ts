import { type AppError, inputError } from "../core/errors.ts"

/** Seconds that a URL works: long enough for the batch it is made for, and a fresh one costs nothing. */
const lifetime = 3600

/** Seconds before the end of a session in which no URL is made any more: it might end in the middle of what it is for. */
const margin = 300

/** Seconds for which a URL made now may be used: it dies with the session. Throws `s3-session-ended` when that is too soon. */
export function urlLife(sessionEnd: Date | undefined, now: number): number {
  if (sessionEnd === undefined) return lifetime
  const left = Math.floor((sessionEnd.getTime() - now) / 1000) - margin
  if (left < 60) throw sessionEnded(sessionEnd)
  return Math.min(lifetime, left)
}

/** Throws `s3-session-ended` when the session of the credentials is over. */
export function assertSession(sessionEnd: Date | undefined, now: number): void {
  if (sessionEnd !== undefined && sessionEnd.getTime() <= now) throw sessionEnded(sessionEnd)
}

/** The credentials' session ended, at that time if it is known, and nothing here can renew it. */
export function sessionEnded(at: Date | undefined, cause?: unknown): AppError {
  const when = at === undefined ? "has ended" : `ends at ${at.toISOString()}, too soon to go on`
  return inputError("s3-session-ended", `the session of the S3 credentials ${when}; it cannot be renewed from here`, {
    hint: "Take the credentials in a step right before this one, for longer: with aws-actions/configure-aws-credentials, role-duration-seconds.",
    ...(cause === undefined ? {} : { cause }),
  })
}

/** The end of the session that the environment's credentials tell, as the AWS tools write it. Throws an input error for one that is no time. */
export function sessionEndOf(text: string | undefined): Date | undefined {
  if (!text) return undefined
  const end = new Date(text)
  if (!Number.isNaN(end.getTime())) return end
  throw inputError("s3-session-end", `AWS_CREDENTIAL_EXPIRATION is no time: ${JSON.stringify(text.slice(0, 60))}`, {
    hint: "Give it as 2026-11-21T05:00:00Z, or leave it out.",
  })
}
