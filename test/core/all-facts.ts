import { infraStatuses } from "../../src/core/combine-health.ts"
import { type Facts, type ForcibleJob, forcibleJobs, unfinishedStates } from "../../src/core/decision.ts"

/** Every combination of facts: 288 by 32 lists of forced jobs, unless fewer lists are given. */
export function allFacts(forces: readonly (readonly ForcibleJob[])[] = allForces()): readonly Facts[] {
  const both = [false, true]
  return both.flatMap((infraChanged) =>
    both.flatMap((appChanged) =>
      both.flatMap((migrationsChanged) =>
        infraStatuses.flatMap((infraStatus) =>
          both.flatMap((dataPresent) =>
            unfinishedStates.flatMap((unfinished) =>
              both.flatMap((beforeMigrate) =>
                forces.map((force) => ({
                  infraChanged,
                  appChanged,
                  migrationsChanged,
                  infraStatus,
                  dataPresent,
                  unfinished,
                  beforeMigrate,
                  force,
                })),
              ),
            ),
          ),
        ),
      ),
    ),
  )
}

/** Every subset of the jobs that can be asked for. */
export function allForces(): readonly (readonly ForcibleJob[])[] {
  return Array.from({ length: 2 ** forcibleJobs.length }, (_, bits) =>
    forcibleJobs.filter((_job, index) => (bits >> index) & 1),
  )
}
