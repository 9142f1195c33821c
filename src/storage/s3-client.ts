import { S3Client } from "@aws-sdk/client-s3"
import type { Secret } from "../shell/secret.ts"
import { explainS3Error, type S3Place } from "./s3-error.ts"
import { assertSession } from "./s3-session.ts"

export interface S3Credentials {
  readonly accessKeyId: Secret
  readonly secretAccessKey: Secret
  readonly sessionToken?: Secret
  /** When the session of temporary ones ends, if that is known. */
  readonly sessionEnd?: Date | undefined
}

export interface S3ClientOptions {
  readonly bucket: string
  readonly region: string
  /** Of an S3-compatible store; AWS when absent. */
  readonly endpoint?: string
  /** On unless told when an endpoint is given. */
  readonly forcePathStyle?: boolean
  readonly credentials: S3Credentials
  /** Milliseconds without progress that end a request; 60 000 unless told. */
  readonly timeout?: number
}

/** A client, the bucket it works on, and the one way to call it. */
export interface Bucket {
  readonly client: S3Client
  readonly place: S3Place
  readonly name: string
  /** When the credentials' session ends, if that is known. */
  readonly sessionEnd: Date | undefined
  /** Runs a request; what it throws says what was being done and which input is wrong. */
  call<T>(doing: string, request: (client: S3Client) => Promise<T>): Promise<T>
}

/**
 * A client that works with stores other than AWS: no checksums that they do not know, path style with an endpoint, and
 * time-outs that throw (the library's own default is to wait for ever). The credentials never leave this process.
 */
export function openBucket(options: S3ClientOptions): Bucket {
  const { bucket, region, endpoint, forcePathStyle, credentials, timeout = 60_000 } = options
  const client = new S3Client({
    region,
    ...(endpoint !== undefined && { endpoint }),
    forcePathStyle: forcePathStyle ?? endpoint !== undefined,
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    maxAttempts: 3,
    requestHandler: {
      connectionTimeout: 10_000,
      requestTimeout: 2 * timeout,
      throwOnRequestTimeout: true,
      socketTimeout: timeout,
    },
    credentials: {
      accessKeyId: credentials.accessKeyId.reveal(),
      secretAccessKey: credentials.secretAccessKey.reveal(),
      ...(credentials.sessionToken && { sessionToken: credentials.sessionToken.reveal() }),
    },
  })
  const place: S3Place = { bucket, endpoint, region }
  return {
    client,
    place,
    name: bucket,
    sessionEnd: credentials.sessionEnd,
    async call(doing, request) {
      assertSession(credentials.sessionEnd, Date.now())
      try {
        return await request(client)
      } catch (error) {
        throw explainS3Error(error, doing, place)
      }
    },
  }
}
