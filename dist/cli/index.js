#!/usr/bin/env node
if (Number.parseInt(process.versions.node) < 24) {
	console.error("infra-actions needs Node 24 or newer, and this is " + process.version);
	process.exit(2);
}
Object.defineProperty(exports, Symbol.toStringTag, { value: 'Module' });
const require_rolldown_runtime = require("../chunks/rolldown-runtime.js");
const require_suite = require("../chunks/suite.js");

// actions/cli/main.ts
require_suite.runCli([
	require_suite.pipelineAction,
	require_suite.detectChangesAction,
	require_suite.checkInfraAction,
	require_suite.backupAction,
	require_suite.backupsAction,
	require_suite.recreateAction,
	require_suite.restoreAction,
	require_suite.verifyAction,
	require_suite.drillAction,
	require_suite.debugAction,
	require_suite.deployAppAction,
	require_suite.lockAction
], process.argv.slice(2)).then((code) => process.exit(code));
