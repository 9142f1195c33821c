Object.defineProperty(exports, Symbol.toStringTag, { value: 'Module' });
const require_rolldown_runtime = require("../chunks/rolldown-runtime.js");
const require_suite = require("../chunks/suite.js");

// actions/lock/post.ts
require_suite.runPost(require_suite.lockContract, async (inputs, context, state) => {
	const claim = state(require_suite.claimState);
	if (claim === void 0) return;
	const config = await require_suite.loadConfig(inputs, context);
	await using host = await require_suite.openHost(config, inputs, context);
	const { lock, work } = require_suite.layout(config);
	const outcome = await require_suite.releaseLease(host, {
		directory: lock,
		work,
		number: Number(claim)
	});
	context.log.info(`Lock ${claim}: ${{
		released: "released",
		working: "released when the work on the host ends",
		"not-held": "not held any more"
	}[outcome]}`);
});
