import { AppError, failure, inputError } from "../core/errors.ts"
import { sessionEnded } from "./s3-session.ts"

/** Where a request went, for the message. */
export interface S3Place {
  readonly bucket: string
  readonly endpoint: string | undefined
  readonly region: string
}

interface SdkError {
  readonly name?: string
  readonly code?: string
  readonly message?: string
  readonly $metadata?: { readonly httpStatusCode?: number }
}

/** Whether S3's answer is that there is no such thing. */
export function isMissing(error: unknown): boolean {
  return /^(NotFound|NoSuchKey|NoSuchUpload|NoSuchVersion)$/.test((error as SdkError).name ?? "")
}

/** The status that S3 answered with, of an error of the client library or the clear one made from it; undefined without an answer. */
export function statusOf(error: unknown): number | undefined {
  const { $metadata } = (error instanceof AppError ? (error.cause ?? {}) : error) as SdkError
  return $metadata?.httpStatusCode
}

/** Whether S3 has answered that it does not do what was asked. Its own faults and lost answers say nothing of what was done. */
export function isRefused(error: unknown): boolean {
  const status = statusOf(error) ?? 0
  return status >= 400 && status < 500 && status !== 408
}

/** A clear error from one of the client library: which input is wrong, and what to do. */
export function explainS3Error(error: unknown, doing: string, place: S3Place): AppError {
  if (error instanceof AppError) return error
  const { name = "", code = "", message = "", $metadata } = error as SdkError
  const status = $metadata?.httpStatusCode
  const where = place.endpoint ?? `AWS region ${place.region}`
  const what = `${doing} (bucket ${place.bucket} at ${where})`
  if (/^(TokenRefreshRequired|ExpiredToken|ExpiredTokenException)$/.test(name)) return sessionEnded(undefined, error)
  if (/^(InvalidAccessKeyId|SignatureDoesNotMatch|InvalidClientTokenId|InvalidToken|XAdminUserNotFound)$/.test(name)) {
    return inputError("s3-credentials", `S3 does not accept the credentials: ${name}, while ${what}`, {
      hint: "Check the inputs s3-access-key-id, s3-secret-access-key and, for a session, s3-session-token.",
      cause: error,
    })
  }
  if (name === "NoSuchBucket") {
    return inputError("s3-bucket", `there is no bucket ${place.bucket} at ${where}`, {
      hint: "Check backup.s3.bucket and backup.s3.endpoint; the bucket is never made by this suite.",
      cause: error,
    })
  }
  if (
    status === 301 ||
    /^(PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException)$/.test(name)
  ) {
    return inputError("s3-region", `the bucket ${place.bucket} is not in region ${place.region}: ${message || name}`, {
      hint: "Set backup.s3.region to the bucket's region.",
      cause: error,
    })
  }
  if (name === "RequestTimeTooSkewed") {
    return failure("s3-clock", `S3 says that the runner's clock is wrong: ${message}`, { cause: error })
  }
  if (status === 401 || status === 403) {
    return inputError("s3-denied", `S3 denied ${what}: ${name}${message ? `: ${message}` : ""}`, {
      hint: "Check the inputs s3-access-key-id and s3-secret-access-key and what this key may do with the bucket and prefix.",
      cause: error,
    })
  }
  if (status === undefined) {
    return failure(
      "s3-unreachable",
      `S3 cannot be reached: ${code || name}${message ? `: ${message}` : ""}, while ${what}`,
      {
        hint: "Check backup.s3.endpoint and that the runner reaches it.",
        cause: error,
      },
    )
  }
  return failure("s3-failed", `S3 answered ${status} ${name}${message ? `: ${message}` : ""}, while ${what}`, {
    cause: error,
  })
}
