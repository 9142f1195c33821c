import ssh2 from "ssh2"
import { type AppError, inputError } from "../core/errors.ts"
import type { Secret } from "../shell/secret.ts"
import { keyFingerprint } from "./known-hosts.ts"

/** A private key that was read well. */
export interface PrivateKey {
  readonly text: string
  /** `SHA256:...` of its public half, to be shown. */
  readonly fingerprint: string
}

/** Reads a private key, bearing with line ends as a secret store leaves them. Throws an input error that names the input. */
export function readPrivateKey(key: Secret, passphrase: Secret | undefined): PrivateKey {
  const text = `${key.reveal().replaceAll("\r\n", "\n").trim()}\n`
  const parsed = ssh2.utils.parseKey(text, passphrase?.reveal() || undefined)
  if (parsed instanceof Error) throw unreadable(key.name, parsed.message, passphrase)
  const one = Array.isArray(parsed) ? parsed[0] : parsed
  if (!one?.isPrivateKey()) {
    throw inputError("ssh-key-invalid", `\`${key.name}\` holds a public key`, {
      hint: "Set it to the private key: the file without `.pub`, all lines of it.",
    })
  }
  return { text, fingerprint: keyFingerprint(one.getPublicSSH()) }
}

/** Tells the cases of ssh2's key parser (lib/protocol/keyParser.js) apart by its messages. */
function unreadable(name: string, message: string, passphrase: Secret | undefined): AppError {
  const passphraseName = passphrase?.name ?? `${name}-passphrase`
  if (/no passphrase given/i.test(message)) {
    return inputError("ssh-key-encrypted", `\`${name}\` is protected by a passphrase and none is given`, {
      hint: `Set \`${passphraseName}\`, or use a key without a passphrase.`,
    })
  }
  if (passphrase?.reveal() && /bad passphrase|integrity check|bad decrypt|Malformed private key/i.test(message)) {
    return inputError("ssh-key-passphrase", `\`${passphraseName}\` does not open \`${name}\``, {
      hint: `Check that both belong together: \`ssh-keygen -y -f KEYFILE\` asks for the passphrase and prints the public key.`,
    })
  }
  return inputError("ssh-key-invalid", `\`${name}\` is not a private key that can be read`, {
    hint: "Expected an OpenSSH or PEM private key with its `-----BEGIN` and `-----END` lines and all line breaks.",
  })
}
