Object.defineProperty(exports, Symbol.toStringTag, { value: 'Module' });
const require_rolldown_runtime = require("../chunks/rolldown-runtime.js");
const require_suite = require("../chunks/suite.js");

// actions/recreate/post.ts
require_suite.runPost(require_suite.recreateContract, require_suite.releaseRemembered);
