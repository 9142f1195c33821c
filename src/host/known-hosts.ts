import { createHash, createHmac } from "node:crypto"
import { inputError } from "../core/errors.ts"

/** What is known about one host's keys: which are accepted and which never are. */
export interface KnownKeys {
  /** Types with a known key, in the order of the file; empty when only a fingerprint is known. */
  readonly types: readonly string[]
  /** `SHA256:...` of each accepted key. */
  readonly accepted: readonly string[]
  /** Is this the key blob of the host? Synchronous and strictly boolean: ssh2 takes any other answer for a yes. */
  accepts(blob: Buffer): boolean
  /** Was this key marked `@revoked`? */
  revoked(blob: Buffer): boolean
}

/** `SHA256:` and the unpadded base64 of the blob's SHA-256, as `ssh-keygen -l` prints it. */
export function keyFingerprint(blob: Buffer): string {
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`
}

/**
 * Reads the input `ssh-known-hosts`: lines of a known_hosts file (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT) or `SHA256:`
 * fingerprints. Throws an input error when it is empty or malformed, or knows nothing of this host.
 */
export function knownKeys(text: string, address: string, port: number): KnownKeys {
  const words = text.split(/\s+/).filter(Boolean)
  if (words.length === 0) throw missing(address, port)
  if (words.every((word) => /^(SHA256|MD5):/.test(word))) return fromFingerprints(words)
  const lines = parseKnownHosts(text)
  const host = address.toLowerCase()
  const exact = lines.filter((line) => matches(line.hosts, port === 22 ? host : `[${host}]:${port}`))
  // As OpenSSH does: a line for the plain name counts for any port unless there is one for this port.
  const plain = port === 22 ? [] : lines.filter((line) => matches(line.hosts, host))
  const keys = (from: readonly KnownHostsLine[]) => from.filter((line) => line.marker === undefined)
  const good = keys(exact).length > 0 ? keys(exact) : keys(plain)
  const bad = lines.filter((line) => line.marker === "@revoked" && (exact.includes(line) || plain.includes(line)))
  const accepted = good.filter((line) => !bad.some((other) => other.blob.equals(line.blob)))
  if (accepted.length === 0) {
    const authority = [...exact, ...plain].some((line) => line.marker === "@cert-authority")
    throw unknown(address, port, authority ? "authority" : good.length > 0 ? "revoked" : "unknown")
  }
  return {
    types: [...new Set(accepted.map((line) => line.type))],
    accepted: accepted.map((line) => keyFingerprint(line.blob)),
    accepts: (blob) => accepted.some((line) => line.blob.equals(blob)),
    revoked: (blob) => bad.some((line) => line.blob.equals(blob)),
  }
}

interface KnownHostsLine {
  readonly marker: "@revoked" | "@cert-authority" | undefined
  readonly hosts: string
  readonly type: string
  readonly blob: Buffer
}

function parseKnownHosts(text: string): KnownHostsLine[] {
  return text.split("\n").flatMap((raw, index) => {
    const line = raw.trim()
    if (line === "" || line.startsWith("#")) return []
    const words = line.split(/\s+/)
    const marker = words[0]?.startsWith("@") ? words.shift() : undefined
    const [hosts, type, key] = words
    const blob = Buffer.from(key ?? "", "base64")
    const known = marker === undefined || marker === "@revoked" || marker === "@cert-authority"
    if (!known || !hosts || !type || blobType(blob) !== type) throw malformed(index + 1)
    return [{ marker, hosts, type, blob }]
  })
}

/** A key blob begins with the length and name of its type (RFC 4253, 6.6). */
function blobType(blob: Buffer): string | undefined {
  return blob.length > 4 ? blob.subarray(4, 4 + blob.readUInt32BE(0)).toString("latin1") : undefined
}

/** A negated pattern that fits excludes the whole line, whatever else fits. */
function matches(hosts: string, name: string): boolean {
  if (hosts.startsWith("|1|")) {
    const [, , salt = "", hash = ""] = hosts.split("|")
    return createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest("base64") === hash
  }
  const patterns = hosts.toLowerCase().split(",")
  const fits = (pattern: string) => wildcard(pattern).test(name)
  if (patterns.some((pattern) => pattern.startsWith("!") && fits(pattern.slice(1)))) return false
  return patterns.some((pattern) => !pattern.startsWith("!") && fits(pattern))
}

function wildcard(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".")
  return new RegExp(`^${source}$`)
}

function fromFingerprints(words: readonly string[]): KnownKeys {
  if (!words.every((word) => /^SHA256:[A-Za-z0-9+/]{43}=?$/.test(word))) {
    throw inputError(
      "known-hosts-malformed",
      "`ssh-known-hosts` holds a fingerprint that is not `SHA256:` and 43 characters",
      {
        hint: "Take the fingerprint that `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` prints on the host; MD5 is not accepted.",
      },
    )
  }
  const accepted = words.map((word) => word.replace(/=$/, ""))
  return { types: [], accepted, accepts: (blob) => accepted.includes(keyFingerprint(blob)), revoked: () => false }
}

function scan(address: string, port: number): string {
  return `Run \`ssh-keyscan${port === 22 ? "" : ` -p ${port}`} ${address}\` from a network you trust, compare with \`ssh-keygen -l\` on the host, and set the lines as \`ssh-known-hosts\` (in a terminal: in ~/.ssh/known_hosts, or the file that SSH_KNOWN_HOSTS_FILE names).`
}

function missing(address: string, port: number) {
  return inputError("known-hosts-missing", `\`ssh-known-hosts\` is empty: no key of ${address} can be trusted`, {
    hint: scan(address, port),
  })
}

function malformed(line: number) {
  return inputError("known-hosts-malformed", `\`ssh-known-hosts\` line ${line} is not a line of a known_hosts file`, {
    hint: "Expected `host type key`, for example `example.org ssh-ed25519 AAAA...`, or `SHA256:` fingerprints alone.",
  })
}

function unknown(address: string, port: number, why: "authority" | "revoked" | "unknown") {
  const name = port === 22 ? address : `[${address}]:${port}`
  const reason = {
    authority: `\`ssh-known-hosts\` knows ${name} only by @cert-authority, and host certificates are not supported`,
    revoked: `\`ssh-known-hosts\` marks every key of ${name} as @revoked`,
    unknown: `\`ssh-known-hosts\` has no line for ${name}`,
  }[why]
  return inputError("known-hosts-unknown", reason, { hint: scan(address, port) })
}
