import { spawn } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { failure, inputError } from "../core/errors.ts"
import { Secret } from "../shell/secret.ts"

/** What is encrypted on its way to S3, and what opens it on the way back. */
export interface Encryption {
  /** Armored public OpenPGP key; nothing is encrypted without one. */
  readonly publicKey: string | undefined
  /** Armored private one: stays in this process and its children. */
  readonly privateKey: Secret | undefined
}

/** Bytes from the beginning of an encrypted file that hold its session key, with room to spare. */
export const headerBytes = 131_072

/**
 * The session key of one encrypted file, from its beginning: it opens this file and no other, so that the private key
 * never leaves this machine. Throws an input error `backup-key` when the key does not open the file.
 */
export async function sessionKey(header: Buffer, privateKey: Secret): Promise<Secret> {
  const home = await mkdtemp(join(tmpdir(), "infra-actions-key-"))
  try {
    const imported = await gpg(home, ["--import"], privateKey.reveal())
    if (imported.code !== 0) throw wrongKey("is no private OpenPGP key that can be read")
    // The beginning alone does not decrypt to the end: only what gpg says of the session key counts.
    const show = ["--status-fd", "1", "--show-session-key", "--output", "/dev/null", "--decrypt"]
    const { stdout } = await gpg(home, show, header)
    const key = /^\[GNUPG:\] SESSION_KEY (\d+:[0-9A-F]+)$/m.exec(stdout)?.[1]
    if (key === undefined) throw wrongKey("does not open this backup: it is another key, or it has a passphrase")
    return new Secret("session key", key)
  } finally {
    await run("gpgconf", ["--homedir", home, "--kill", "all"], "")
    await rm(home, { recursive: true, force: true })
  }
}

function gpg(home: string, words: readonly string[], input: string | Buffer) {
  const quiet = ["--homedir", home, "--batch", "--no-tty", "--quiet", "--pinentry-mode", "loopback"]
  return run("gpg", [...quiet, "--passphrase", "", ...words], input)
}

async function run(program: string, words: readonly string[], input: string | Buffer) {
  // Standard error would repeat the session key.
  const child = spawn(program, words, { stdio: ["pipe", "pipe", "ignore"] })
  // gpg stops reading as soon as it has what it needs.
  child.stdin.on("error", () => {})
  child.stdin.end(input)
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on("close", resolve)
    child.on("error", (error) =>
      reject(
        failure("no-gpg", `${program} cannot be run here: ${error.message}`, { hint: "Install GnuPG on the runner." }),
      ),
    )
  })
  const [stdout, code] = await Promise.all([text(child.stdout), ended])
  return { stdout, code }
}

function wrongKey(problem: string): Error {
  return inputError("backup-key", `input \`backup-key\` ${problem}`, {
    hint: "Give the armored private key, without passphrase, whose public key is backup.encryption.openpgp-key.",
  })
}
