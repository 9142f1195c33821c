Object.defineProperty(exports, Symbol.toStringTag, { value: 'Module' });
const require_rolldown_runtime = require("../chunks/rolldown-runtime.js");
const require_suite = require("../chunks/suite.js");

// actions/debug/post.ts
require_suite.runPost(require_suite.debugContract, require_suite.releaseRemembered);
