import type { ConfigProblem } from "./config-problem.ts"

/** Environment variables by name; only the `S3_` ones are read. */
export type Variables = Readonly<Record<string, string | undefined>>

/** The variable behind each key of `backup.s3` that a variable can give. */
export const s3VariableNames: Readonly<Record<string, string>> = {
  bucket: "S3_BUCKET",
  endpoint: "S3_ENDPOINT",
  region: "S3_REGION",
  "force-path-style": "S3_FORCE_PATH_STYLE",
}

/**
 * The `backup.s3` section that the `S3_*` variables describe, for a file that has none: as written, still to be
 * validated. Undefined unless `S3_ENABLED` is true; an empty variable is absent. `S3_PROVIDER` is only used to notice a missing endpoint.
 */
export function s3FromVariables(variables: Variables): {
  readonly section: Readonly<Record<string, unknown>> | undefined
  readonly problems: readonly ConfigProblem[]
} {
  const enabled = switchOf(variables.S3_ENABLED)
  const pathStyle = switchOf(variables.S3_FORCE_PATH_STYLE)
  const problems = [
    ...(enabled === "unclear" ? [problem("S3_ENABLED", "is neither yes nor no (expected true or false)")] : []),
    ...(enabled === true && pathStyle === "unclear"
      ? [problem("S3_FORCE_PATH_STYLE", "is neither yes nor no (expected true or false)")]
      : []),
  ]
  if (enabled !== true) return { section: undefined, problems }
  const { S3_PROVIDER: provider, S3_ENDPOINT: endpoint, S3_BUCKET: bucket, S3_REGION: region } = variables
  if (provider && provider.toLowerCase() !== "aws" && !endpoint) {
    problems.push(problem("S3_ENDPOINT", "is missing, and S3_PROVIDER is not aws (expected the store's URL)"))
  }
  return {
    section: {
      ...(bucket && { bucket }),
      ...(endpoint && { endpoint }),
      ...(region && { region }),
      ...(typeof pathStyle === "boolean" && { "force-path-style": pathStyle }),
    },
    problems,
  }
}

function problem(name: string, message: string): ConfigProblem {
  return { path: [name], message }
}

function switchOf(text: string | undefined): boolean | "unclear" | undefined {
  if (!text) return undefined
  if (/^(true|1|yes|on)$/i.test(text)) return true
  return /^(false|0|no|off)$/i.test(text) ? false : "unclear"
}
