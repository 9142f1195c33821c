import { decideRetention, type RetentionItem, type RetentionOptions } from "../../src/core/retention.ts"

export const none = { last: 0, daily: 0, weekly: 0, monthly: 0 }
export const now = new Date("2026-06-30T12:00:00Z")

export function reasonsOf(
  items: readonly RetentionItem[],
  policy: RetentionOptions["policy"],
  at = now,
): readonly string[][] {
  return decideRetention(items, { policy, now: at }).map(({ reasons }) => [...reasons])
}

export function list(...times: readonly string[]): readonly RetentionItem[] {
  return times.map((created) => ({ id: `backup-${created}`, created, holds: ["db"], proven: true }))
}
