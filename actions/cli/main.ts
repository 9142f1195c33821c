#!/usr/bin/env node
import type { Action } from "../../src/action/outcome.ts"
import { runCli } from "../../src/cli/run-cli.ts"
import { backupAction } from "../backup/action.ts"
import { backupsAction } from "../backups/action.ts"
import { checkInfraAction } from "../check-infra/action.ts"
import { debugAction } from "../debug/action.ts"
import { deployAppAction } from "../deploy-app/action.ts"
import { detectChangesAction } from "../detect-changes/action.ts"
import { drillAction } from "../drill/action.ts"
import { lockAction } from "../lock/action.ts"
import { pipelineAction } from "../pipeline/action.ts"
import { recreateAction } from "../recreate/action.ts"
import { restoreAction } from "../restore/action.ts"
import { verifyAction } from "../verify/action.ts"

const actions: readonly Action[] = [
  pipelineAction,
  detectChangesAction,
  checkInfraAction,
  backupAction,
  backupsAction,
  recreateAction,
  restoreAction,
  verifyAction,
  drillAction,
  debugAction,
  deployAppAction,
  lockAction,
]

void runCli(actions, process.argv.slice(2)).then((code) => process.exit(code))
