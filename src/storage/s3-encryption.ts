import { failure, inputError, messageOf } from "../core/errors.ts"
import type { GrowingFile } from "../core/growing-file.ts"
import type { Artifact } from "../core/manifest.ts"
import { HostError } from "../host/host.ts"
import type { Work } from "../host/work.ts"
import { remoteScript } from "../remote/scripts.ts"
import { change, script, sh } from "../shell/command.ts"
import { Secret } from "../shell/secret.ts"
import { type Encryption, headerBytes, sessionKey } from "./openpgp-session-key.ts"
import type { BegunUpload, S3Context } from "./s3-context.ts"

/** Where the encrypted file lies on the host while it goes up or comes down; what a dead run leaves of it is cleaned away. */
export function encryptedFile(file: string): string {
  return `${file}.gpg.partial`
}

/** Throws an input error when the host cannot encrypt for this key. */
export async function requireEncryption({ options }: S3Context, publicKey: string): Promise<void> {
  try {
    await options.host.run(script("read", remoteScript("openpgp-encrypt")), { input: publicKey })
  } catch (error) {
    if (error instanceof HostError) throw error
    throw inputError(
      "s3-encryption",
      `${options.host.name} cannot encrypt for backup.encryption: ${messageOf(error)}`,
      {
        hint: "Install gnupg on the host, and give an armored public key that can encrypt in openpgp-key.",
        cause: error,
      },
    )
  }
}

interface Step {
  readonly artifact: Artifact
  readonly work: Work
  readonly step: string
}

/**
 * The encrypted copy of an artifact, beside it, as an artifact of its own. `removeEncrypted` takes it away again. Throws
 * `backup-corrupt` when what was encrypted is not the artifact any more.
 */
export async function encryptArtifact(
  { options }: S3Context,
  { artifact, work, step }: Step,
  key: string,
): Promise<Artifact> {
  const file = encryptedFile(artifact.file)
  const { stdout } = await work.step(
    step,
    script("change", remoteScript("openpgp-encrypt"), [options.directory, artifact.file, file]),
    { input: key, timeout: 600_000 + artifact.bytes / 10_000 },
  )
  const { bytes, sha256, of } = encryptionOf(artifact.file, stdout)
  if (of !== artifact.sha256)
    throw failure("backup-corrupt", `${artifact.file} on the host is not what it was when it was written`)
  return { ...artifact, file, bytes, sha256 }
}

/** Seconds without growth after which the encryption of a growing file is given up: proving a large one takes long. */
const idle = 300

/**
 * Encrypts a file while it is being written; what comes of it stands in `begun` when it is whole. Asks for room for both,
 * for a full disk would end the dump.
 */
export async function encryptGrowing(
  { options }: S3Context,
  { growing, begun, work }: { readonly growing: GrowingFile; readonly begun: BegunUpload; readonly work: Work },
  key: string,
): Promise<void> {
  const { file, estimate } = growing
  const need = Math.ceil((2 * estimate) / 1024)
  const args = [options.directory, `${file}.partial`, file, encryptedFile(file), need, idle]
  const { stdout } = await work.step(
    `follow-encrypt-${begun.number}`,
    script("change", remoteScript("openpgp-follow"), args),
    { input: key, timeout: 86_400_000 },
  )
  begun.encrypted = encryptionOf(file, stdout)
}

/** The result's bytes and SHA-256, and the SHA-256 of what was encrypted, as the scripts print them. */
function encryptionOf(file: string, stdout: string): NonNullable<BegunUpload["encrypted"]> {
  const [, bytes, sha256, of] = /^(\d+) ([0-9a-f]{64}) ([0-9a-f]{64})$/m.exec(stdout) ?? []
  if (bytes === undefined || sha256 === undefined || of === undefined)
    throw failure("host-answer", `the encryption of ${file} did not say what it wrote`)
  return { bytes: Number(bytes), sha256, of }
}

export async function removeEncrypted(
  { options }: S3Context,
  { artifact, work, step }: { readonly artifact: Pick<Artifact, "file">; readonly work: Work; readonly step: string },
): Promise<void> {
  await work.step(step, change`rm -f ${`${options.directory}/${encryptedFile(artifact.file)}`}`)
}

/**
 * Makes the artifact from its encrypted copy on the host, under its name only when its SHA-256 is right. The host gets
 * the session key of this one file.
 */
export async function decryptArtifact({ options }: S3Context, { artifact, work, step }: Step): Promise<void> {
  const { directory, host, encryption } = options
  const from = encryptedFile(artifact.file)
  const running = host.stream(sh`head -c ${headerBytes} ${`${directory}/${from}`}`)
  const chunks: Buffer[] = []
  for await (const chunk of running.stdout) chunks.push(chunk as Buffer)
  await running.done
  const key = await sessionKey(Buffer.concat(chunks), requireKey(encryption))
  const args = [directory, from, `${artifact.file}.partial`, artifact.bytes]
  const timeout = 600_000 + artifact.bytes / 10_000
  await work.step(step, script("change", remoteScript("openpgp-decrypt"), args), {
    input: new Secret("session key", `${key.reveal()}\n`),
    timeout,
  })
  const accept = [directory, artifact.file, artifact.bytes, artifact.sha256]
  await work.step(`${step}-accept`, script("change", remoteScript("store-accept"), accept), { timeout })
}

/** Throws an input error when there is none: asked before the file comes down. */
export function requireKey(encryption: Encryption | undefined): Secret {
  if (encryption?.privateKey) return encryption.privateKey
  throw inputError("backup-key", "input `backup-key` is missing, and the copy in S3 is encrypted", {
    hint: "Pass the private key from a secret to restore, drill or pipeline.",
  })
}
