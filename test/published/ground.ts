import { readFileSync } from "node:fs"
import { type Consumer, consumerRepository } from "../demo/consumer.ts"
import { type PublishedTree, publishedTree } from "../support/published-tree.ts"
import { type ActionRun, type RunActionOptions, runAction } from "../support/run-action.ts"
import { seedStack } from "../support/seed-stack.ts"
import { removeStack, resetStack, type Testbed, testbed } from "../testbed/testbed.ts"

/** A stack with data in it, a consumer's checkout, and the published tree: what a workflow of a user meets. */
export interface PublishedGround extends AsyncDisposable {
  readonly bed: Testbed
  readonly tree: PublishedTree
  readonly consumer: Consumer
  /** Every secret of the testbed, line by line: none may ever be shown. */
  readonly secrets: readonly string[]
  /** What a workflow gives an action from its secrets. */
  access(action: string): Readonly<Record<string, string>>
  /** Runs an action of the tree as a step in the checkout, with all access that it takes; inputs given here go before. */
  step(action: string, inputs?: Readonly<Record<string, string>>, more?: RunActionOptions): Promise<ActionRun>
}

/** On the stack of that slot. */
export async function publishedGround(slot: number): Promise<PublishedGround> {
  const [stack, tree] = await Promise.all([resetStack({ slot, app: "v1" }), publishedTree()])
  await seedStack(stack)
  const bed = testbed(slot)
  const consumer = consumerRepository(bed)
  return {
    ...{ bed, tree, consumer },
    secrets: secretsOf(bed),
    access: (action) => access(bed, tree, action),
    step: (action, inputs = {}, more = {}) =>
      runAction(action, {
        ...more,
        env: { GITHUB_SHA: consumer.head(), ...more.env },
        tree: tree.path,
        workspace: consumer.directory,
        inputs: { ...access(bed, tree, action), ...inputs },
      }),
    async [Symbol.asyncDispose]() {
      consumer[Symbol.dispose]()
      tree[Symbol.dispose]()
      await removeStack({ slot })
    },
  }
}

/** What a workflow gives from its secrets: the inputs of those names that the action has. */
function access({ ssh, s3 }: Testbed, tree: PublishedTree, action: string): Readonly<Record<string, string>> {
  const metadata = readFileSync(`${tree.path}/${action}/action.yml`, "utf8")
  const all = {
    "ssh-key": readFileSync(ssh.keyPath, "utf8"),
    "ssh-known-hosts": readFileSync(ssh.knownHostsPath, "utf8"),
    "s3-access-key-id": s3.accessKeyId,
    "s3-secret-access-key": s3.secretAccessKey,
  }
  return Object.fromEntries(Object.entries(all).filter(([name]) => metadata.includes(`\n  ${name}:`)))
}

function secretsOf({ ssh, s3, stack }: Testbed): readonly string[] {
  const key = readFileSync(ssh.keyPath, "utf8").trim().split("\n").slice(1, -1)
  const environment = readFileSync(`${stack.baseDir}/.env.production`, "utf8")
  const passwords = [...environment.matchAll(/^\w+_(?:PASSWORD|SECRET)=(.+)$/gm)].map(([, one]) => String(one))
  return [...key, s3.accessKeyId, s3.secretAccessKey, ...passwords]
}
