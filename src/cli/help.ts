import type { Contract } from "../action/contract.ts"
import { defaultText, inputMeta, isFlag, isRequired } from "../action/input.ts"

/** What `infra-actions --help` prints. */
export function generalHelp(contracts: readonly Contract[]): string {
  const rows = contracts.map(({ name, description }) => ["  ", name, description] as const)
  return `Manages a Docker Compose stack on a host over SSH, and never loses its data.

Usage: infra-actions ACTION [--config infra.yml] [--input value ...] [--dry-run] [--json]

Actions:
${columns(rows)}

infra-actions ACTION --help tells its inputs, infra-actions --version the version.
Exit codes: 0 success, 1 partial, 2 all else: wrong input, refused or failed (outputs status and reason tell which).
check-infra tells its verdict: 0 healthy, 1 minor, 2 critical, 3 missing; 4 when it came to none.
`
}

/** What `infra-actions ACTION --help` prints. */
export function actionHelp(contract: Contract): string {
  const inputs = Object.entries(contract.inputs.shape).map(([name, schema]) => ({
    name,
    schema,
    meta: inputMeta(schema),
  }))
  const flags = inputs
    .filter(({ meta }) => !meta.secret)
    .map(({ name, schema, meta }) => {
      const value = isFlag(schema) ? "" : ` ${meta.placeholder ?? "VALUE"}`
      return ["  ", `--${name}${value}`, `${meta.description}${ending(schema)}`] as const
    })
  const switches = [
    ["  ", "--json", "Print the outputs as one JSON object on standard output."],
    ["  ", "--help", "Print this."],
  ] as const
  const secrets = inputs
    .filter(({ meta }) => meta.secret)
    .map(({ meta }) => ["  ", (meta.env ?? []).join(", "), meta.description] as const)
  const outputs = Object.entries(contract.outputs.shape).map(
    ([name, schema]) => ["  ", name, schema.description ?? ""] as const,
  )
  return `${contract.description}

Usage: infra-actions ${contract.name} [inputs]

Inputs:
${columns([...flags, ...switches])}

From the environment only:
${columns(secrets)}
  SSH_KEY_FILE, SSH_KNOWN_HOSTS_FILE name files instead; without any: the SSH agent or ~/.ssh/id_ed25519, and ~/.ssh/known_hosts.

Outputs:
${columns(outputs)}
`
}

function ending(schema: Contract["inputs"]["shape"][string]): string {
  if (isRequired(schema)) return " Required."
  const text = defaultText(schema)
  return text === undefined || isFlag(schema) ? "" : ` Default: ${text}.`
}

function columns(rows: readonly (readonly [string, string, string])[]): string {
  const width = Math.min(30, Math.max(...rows.map(([, name]) => name.length)))
  return rows
    .map(([indent, name, text]) => {
      const gap = name.length > width ? `\n${indent}${" ".repeat(width)}` : " ".repeat(width - name.length)
      return `${indent}${name}${gap}  ${text}`
    })
    .join("\n")
}
