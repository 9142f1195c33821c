/** nginx's upstream as one file says it. */
export interface Upstream {
  /** Names of what requests are sent to: containers, or a compose service. */
  readonly targets: readonly string[]
  /** Path, as nginx sees it, of the file with the settings of one copy's loopback server; undefined in the plain shape. */
  readonly copySettings: string | undefined
}

/** First port of the loopback servers, one for each copy; only reachable inside the proxy's container. */
const loopback = 8001

/** Reads an upstream file, of either shape that `renderUpstream` writes or of a person's simple one. */
export function parseUpstream(text: string): Upstream {
  const lines = text.replaceAll(/#.*$/gm, "")
  const copies = [...lines.matchAll(/set\s+\$copy\s+"?([\w.-]+)(?::\d+)?"?\s*;/g)].map(([, name]) => name ?? "")
  const servers = [...lines.matchAll(/(?<=^|[\s{;])server\s+([\w.-]+)(?::\d+)?[^;{}]*;/gm)]
    .map(([, name]) => name ?? "")
    .filter((name) => name !== "127.0.0.1")
  return {
    targets: [...new Set([...copies, ...servers])],
    copySettings: /include\s+(\S+\/copy\.inc)\s*;/.exec(lines)?.[1],
  }
}

/**
 * The upstream file that sends requests to these containers. With `copySettings` each copy stands in a loopback server
 * of its own whose name is looked up at each request: nginx starts even when a copy is down. Without, its name stands in
 * `upstream`, and nginx will not start while it cannot be resolved.
 */
export function renderUpstream(
  names: readonly string[],
  options: {
    readonly upstream: string
    readonly port: number
    readonly copySettings: string | undefined
    readonly release: string
  },
): string {
  const { upstream, port, copySettings, release } = options
  const head = `# Written by deploy-app, release ${release}. The next deployment writes it anew.`
  if (copySettings === undefined) {
    return text(head, `upstream ${upstream} {`, ...names.map((name) => `  server ${name}:${port};`), "}")
  }
  const addresses = names.map((_, index) => `127.0.0.1:${loopback + index}`)
  return text(
    head,
    `upstream ${upstream} {`,
    ...addresses.map((address) => `  server ${address};`),
    "}",
    ...names.flatMap((name, index) => [
      "server {",
      `  listen ${addresses[index]};`,
      `  set $copy ${name}:${port};`,
      `  include ${copySettings};`,
      "}",
    ]),
  )
}

function text(...lines: readonly string[]): string {
  return `${lines.join("\n")}\n`
}
