import { z } from "zod"
import { boolean, input, secret, time, wholeNumber, words } from "./input.ts"

/** Which stack, and how its host is reached: every action takes these. */
export const connectionInputs = {
  config: input(z.string().default("infra.yml"), {
    description: "Path of the configuration, in the checkout.",
    placeholder: "FILE",
  }),
  environment: input(z.string().default("production"), {
    description: "Environment whose overrides in the configuration apply; part of every path of state on the host.",
    placeholder: "NAME",
  }),
  "ssh-key": input(secret("ssh-key").optional(), {
    description:
      "Private key to log in to the host, in OpenSSH or PEM form. Not needed when `host.address` is `local`.",
    secret: true,
    env: ["SSH_KEY"],
  }),
  "ssh-passphrase": input(secret("ssh-passphrase").optional(), {
    description: "Passphrase of `ssh-key`, when it has one.",
    secret: true,
    env: ["SSH_PASSPHRASE"],
  }),
  "ssh-known-hosts": input(z.string().optional(), {
    description:
      "Lines of a known_hosts file that hold the host's key, as `ssh-keyscan` prints them. This or `ssh-fingerprint` is needed: no unknown host is trusted.",
    env: ["SSH_KNOWN_HOSTS"],
    placeholder: "LINES",
  }),
  "ssh-fingerprint": input(
    z
      .string()
      .regex(/^SHA256:[A-Za-z0-9+/]{43}=?$/, "use the form `SHA256:...` that `ssh-keygen -lf` prints")
      .optional(),
    {
      description: "Fingerprint of the host's key, `SHA256:...`, instead of `ssh-known-hosts`.",
      env: ["SSH_FINGERPRINT"],
      placeholder: "SHA256",
    },
  ),
}

/** Access to the bucket of backups: actions that write or read backups take these. */
export const storeInputs = {
  "s3-access-key-id": input(secret("s3-access-key-id").optional(), {
    description:
      "Access key of the bucket. Needed when `backup.s3` is on and backups are used, wherever their files are. It stays on the runner.",
    secret: true,
    env: ["S3_ACCESS_KEY_ID", "AWS_ACCESS_KEY_ID"],
    family: "s3",
  }),
  "s3-secret-access-key": input(secret("s3-secret-access-key").optional(), {
    description: "Secret of `s3-access-key-id`.",
    secret: true,
    env: ["S3_SECRET_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY"],
    family: "s3",
  }),
  "s3-session-token": input(secret("s3-session-token").optional(), {
    description: "Session token, when the access key is a temporary one.",
    secret: true,
    env: ["S3_SESSION_TOKEN", "AWS_SESSION_TOKEN"],
    family: "s3",
  }),
}

/** Opens the encrypted copies in S3: actions that restore take it. */
export const backupKey = input(secret("backup-key").optional(), {
  description:
    "Armored private OpenPGP key of `backup.encryption`, without passphrase. Needed when a copy in S3 is encrypted. It stays on the runner.",
  secret: true,
  env: ["BACKUP_KEY"],
})

const lockNumber = input(wholeNumber.optional(), {
  description:
    "Number of a lock that an earlier job of this run took (output `lock-number` of `lock`). Without it the action takes the lock by itself and gives it back.",
  placeholder: "NUMBER",
})

export const lockWait = input(time.optional(), {
  description:
    "How long to wait for another holder of the lock, such as `10m`; `lock.wait` of the configuration unless told.",
  placeholder: "DURATION",
})

/** What every action that changes the host takes. */
export const changeInputs = {
  "dry-run": input(boolean.default(false), {
    description: "Show the exact commands that would change the host, and change nothing.",
  }),
  "lock-number": lockNumber,
  "lock-wait": lockWait,
}

/** What replaces an OpenVidu server takes it. */
export const endSessions = input(boolean.default(false), {
  description: "Replace an OpenVidu server also while sessions are live on it, which ends them.",
})

/** A list of services of the stack; the description says what is taken without it. */
export function servicesInput(description: string) {
  return input(words.optional(), { description, placeholder: "NAMES" })
}
