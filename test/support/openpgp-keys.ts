import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

export interface OpenpgpKeys {
  readonly publicKey: string
  readonly privateKey: string
}

/** A fresh pair, made as the guide tells. */
export function makeOpenpgpKeys(): OpenpgpKeys {
  return withGpg((gpg) => {
    gpg(["--passphrase", "", "--quick-gen-key", "backups", "default", "default", "never"])
    return {
      publicKey: gpg(["--armor", "--export"]).toString(),
      privateKey: gpg(["--armor", "--export-secret-keys"]).toString(),
    }
  })
}

/** What an operator does by hand: imports the key and decrypts the file. Throws when gpg refuses. */
export function decryptByHand(file: string, privateKey: string): Buffer {
  return withGpg((gpg) => {
    gpg(["--import"], privateKey)
    return gpg(["--decrypt", file])
  })
}

function withGpg<T>(body: (gpg: (words: readonly string[], input?: string) => Buffer) => T): T {
  const home = mkdtempSync(join(tmpdir(), "t-gpg-"))
  try {
    return body((words, input = "") =>
      execFileSync("gpg", ["--homedir", home, "--batch", "--quiet", ...words], {
        input,
        maxBuffer: 2 ** 28,
        stdio: ["pipe", "pipe", "pipe"],
      }),
    )
  } finally {
    execFileSync("gpgconf", ["--homedir", home, "--kill", "all"])
    rmSync(home, { recursive: true, force: true })
  }
}
