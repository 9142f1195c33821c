import { closest } from "./closest.ts"
import { infraStatuses } from "./combine-health.ts"
import { type Facts, type ForcibleJob, forcibleJobs, unfinishedStates } from "./decision.ts"
import { failure, inputError, refusal } from "./errors.ts"

/** Outputs of `detect-changes` and `check-infra`, as text, and the wish of a person. */
export interface FactTexts {
  readonly "infra-changed": string
  readonly "app-changed": string
  readonly "migrations-changed": string
  readonly "infra-status": string
  readonly "data-present": string
  readonly unfinished: string
  readonly "backup-before-migrate": string
  /** Names of jobs, separated by spaces, commas or newlines. */
  readonly force: string
}

/**
 * The facts behind outputs of other jobs. Throws `failed` `fact-empty` for one that is empty or unknown (masking may
 * have dropped it): that is never taken for "nothing to do". Throws `input` `force-unknown` for a job that nobody can ask for,
 * and refuses (`restore-first`) everything but a restore while the app waits for one.
 */
export function parseFacts(texts: FactTexts): Facts {
  const facts: Facts = {
    infraChanged: truth(texts, "infra-changed"),
    appChanged: truth(texts, "app-changed"),
    migrationsChanged: truth(texts, "migrations-changed"),
    infraStatus: oneOf(texts, "infra-status", infraStatuses),
    dataPresent: truth(texts, "data-present"),
    unfinished: oneOf(texts, "unfinished", unfinishedStates),
    beforeMigrate: truth(texts, "backup-before-migrate"),
    force: parseForce(texts.force),
  }
  if (facts.unfinished === "restore" && !facts.force.includes("restore")) throw restoreFirst()
  return facts
}

function restoreFirst(): Error {
  return refusal("restore-first", "an earlier run left the app stopped until its data is restored", {
    hint: "Run again with force: restore and the id of the backup to bring back.",
  })
}

/** The jobs named in input `force`, each once. Throws `input` `force-unknown`. */
export function parseForce(text: string): readonly ForcibleJob[] {
  const words = new Set(text.split(/[\s,]+/).filter((word) => word !== ""))
  return [...words].map((word) => {
    const job = forcibleJobs.find((one) => one === word)
    if (job) return job
    const meant = closest(word, forcibleJobs)
    throw inputError(
      "force-unknown",
      `input force: "${word}" is no job (expected some of ${forcibleJobs.join(", ")})`,
      {
        hint: meant ? `Did you mean ${meant}?` : "Leave force empty to let the facts decide.",
      },
    )
  })
}

function truth(texts: FactTexts, name: keyof FactTexts): boolean {
  return oneOf(texts, name, ["true", "false"]) === "true"
}

function oneOf<T extends string>(texts: FactTexts, name: keyof FactTexts, values: readonly T[]): T {
  const value = values.find((one) => one === texts[name])
  if (value !== undefined) return value
  const problem = texts[name] === "" ? "is empty" : "is not one of its values"
  throw failure("fact-empty", `output ${name} ${problem} (expected one of ${values.join(", ")})`, {
    hint: "A secret whose value is a common word (such as true) makes outputs vanish: change it, then run again.",
  })
}
