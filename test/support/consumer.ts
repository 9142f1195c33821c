import { stringify } from "yaml"
import type { Testbed } from "../testbed/testbed.ts"

type Section = Readonly<Record<string, unknown>>

/** What a consumer's infra.yml says beside the stack's places: sections whose keys are added to those that are there. */
export interface ConsumerSettings {
  /** Of everything in the bucket: no two tests share one. */
  readonly prefix: string
  /** Port of the SSH server, when it is not the testbed's own. */
  readonly port?: number
  readonly services?: Section
  readonly backup?: Section
  readonly lock?: Section
  readonly thresholds?: Section
}

/** The infra.yml of a repository whose stack is one of the testbed's. */
export function consumerConfiguration({ stack, ssh, s3 }: Testbed, settings: ConsumerSettings): string {
  const { prefix, port = ssh.port, backup, ...sections } = settings
  const { endpoint, region, bucket } = s3
  return stringify({
    project: stack.project,
    host: { address: ssh.address, port, user: ssh.user, directory: stack.baseDir },
    compose: {
      files: ["docker-compose.prod.yml", "docker-compose.override.yml"],
      upload: ["docker-compose.prod.yml"],
    },
    app: { "health-url": `http://127.0.0.1:${stack.httpPort}/health`, proxy: { service: "nginx" } },
    backup: { s3: { endpoint, region, bucket, prefix }, ...backup },
    ...sections,
  })
}

/** The environment in which git has somebody to commit as, and no settings of the machine's. */
export const gitIdentity = {
  ...process.env,
  GIT_AUTHOR_NAME: "test",
  GIT_AUTHOR_EMAIL: "test@example.org",
  GIT_COMMITTER_NAME: "test",
  GIT_COMMITTER_EMAIL: "test@example.org",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_SYSTEM: "/dev/null",
}
