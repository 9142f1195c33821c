Object.defineProperty(exports, Symbol.toStringTag, { value: 'Module' });
const require_rolldown_runtime = require("../chunks/rolldown-runtime.js");
const require_suite = require("../chunks/suite.js");

// actions/backups/main.ts
require_suite.runAction(require_suite.backupsAction);
