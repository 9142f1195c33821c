Object.defineProperty(exports, Symbol.toStringTag, { value: 'Module' });
const require_rolldown_runtime = require("../chunks/rolldown-runtime.js");
const require_suite = require("../chunks/suite.js");

// actions/drill/main.ts
require_suite.runAction(require_suite.drillAction);
