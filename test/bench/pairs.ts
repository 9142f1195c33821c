/** Milliseconds that something took. */
export type Timed = () => Promise<number>

export interface Pair {
  /** What is measured against what, for a reader of the table. */
  readonly ours: string
  readonly theirs: string
  /** The ratio of ours to theirs must not be more, or, with `atLeast`, that of theirs to ours not less. */
  readonly goal: number
  readonly atLeast?: boolean
  readonly rounds: number
  readonly run: { readonly ours: Timed; readonly theirs: Timed }
}

export interface Measured extends Pick<Pair, "ours" | "theirs" | "goal" | "atLeast"> {
  /** Milliseconds, medians. */
  readonly oursTook: number
  readonly theirsTook: number
  /** Median of the rounds' own ratios: what else the machine does weighs on both sides of a round alike. */
  readonly ratio: number
  readonly isMet: boolean
}

/** Runs both sides of a pair in turn, the first of one round being the second of the next. */
export async function measurePair(pair: Pair, show: (line: string) => void): Promise<Measured> {
  const took: { ours: number; theirs: number }[] = []
  for (let round = 0; round < pair.rounds; round += 1) {
    const times = { ours: 0, theirs: 0 }
    for (const side of round % 2 === 0 ? (["theirs", "ours"] as const) : (["ours", "theirs"] as const)) {
      times[side] = await pair.run[side]()
      show(`${seconds(times[side])}  ${pair[side]}`)
    }
    took.push(times)
  }
  const ratio = median(took.map(({ ours, theirs }) => (pair.atLeast ? theirs / ours : ours / theirs)))
  return {
    ...{ ours: pair.ours, theirs: pair.theirs, goal: pair.goal, ratio },
    ...(pair.atLeast !== undefined && { atLeast: pair.atLeast }),
    oursTook: median(took.map(({ ours }) => ours)),
    theirsTook: median(took.map(({ theirs }) => theirs)),
    isMet: pair.atLeast ? ratio >= pair.goal : ratio <= pair.goal,
  }
}

/** One line for a person. */
export function describeMeasured({
  ours,
  theirs,
  oursTook,
  theirsTook,
  ratio,
  goal,
  atLeast,
  isMet,
}: Measured): string {
  const [sign, wanted] = atLeast ? ["times as fast as", `${goal} or more`] : ["times as long as", `${goal} or less`]
  const times = `${ours} (${seconds(oursTook)}): ${ratio.toFixed(2)} ${sign} ${theirs} (${seconds(theirsTook)})`
  return `${isMet ? "ok    " : "MISSED"}  ${times}; goal ${wanted}`
}

export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const [low = Number.NaN, high = low] =
    sorted.length % 2 === 1 ? [sorted[middle]] : [sorted[middle - 1], sorted[middle]]
  return (low + high) / 2
}
