import { z } from "zod"

/** The event that started the run, as the runner hands it over. */
export interface WorkflowEvent {
  /** `push`, `pull_request`, `schedule`; empty outside of GitHub. */
  readonly name: string
  /** The event's payload, unchecked. */
  readonly payload: unknown
}

/** What an event by itself says about the commit to compare with. */
export type EventBase =
  | { readonly kind: "commit"; readonly commit: string; readonly why: string }
  /** The files that differ since the head left this commit's branch. */
  | { readonly kind: "merge-base"; readonly commit: string; readonly why: string }
  | { readonly kind: "none"; readonly why: string }

const hash = z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/)
const pushSchema = z.object({ ref: z.string(), before: hash, forced: z.boolean().optional() })
const pullSchema = z.object({ pull_request: z.object({ base: z.object({ sha: hash }) }) })
const groupSchema = z.object({ merge_group: z.object({ base_sha: hash }) })

/**
 * The commit to compare with when nobody knows what is deployed. An event that has none (a first push, a tag, a
 * schedule, a button) gives none: then everything counts as changed, never nothing. Pure.
 */
export function eventBase({ name, payload }: WorkflowEvent): EventBase {
  switch (name) {
    case "push":
      return pushBase(payload)
    case "pull_request": {
      const pull = pullSchema.safeParse(payload)
      return pull.success
        ? { kind: "merge-base", commit: pull.data.pull_request.base.sha, why: "what the pull request changes" }
        : none("the event names no base of the pull request")
    }
    case "merge_group": {
      const group = groupSchema.safeParse(payload)
      return group.success
        ? { kind: "commit", commit: group.data.merge_group.base_sha, why: "base of the merge group" }
        : none("the event names no base of the merge group")
    }
    case "":
      return none("there is no event outside of GitHub")
    default:
      return none(`a ${name} event has no commit before it`)
  }
}

function pushBase(payload: unknown): EventBase {
  const push = pushSchema.safeParse(payload)
  if (!push.success) return none("the push event cannot be read")
  const { ref, before, forced } = push.data
  if (ref.startsWith("refs/tags/")) return none("a tag has no commit before it")
  if (/^0+$/.test(before)) return none("this is the first push of its branch")
  return { kind: "commit", commit: before, why: forced ? "commit before the forced push" : "commit before the push" }
}

function none(why: string): EventBase {
  return { kind: "none", why }
}
