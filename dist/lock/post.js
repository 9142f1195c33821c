Object.defineProperty(exports, Symbol.toStringTag, { value: 'Module' });
const require_rolldown_runtime = require("../chunks/rolldown-runtime.js");
const require_suite = require("../chunks/suite.js");

// actions/lock/post.ts
require_suite.runPost(require_suite.lockContract, async (inputs, context, state) => {
	const number = state(require_suite.claimState);
	const mark = state(require_suite.markState);
	if (mark === void 0) return;
	await require_suite.releaseAfter(inputs, context, {
		mark,
		...number !== void 0 && { number: Number(number) }
	});
});
