import { readFile } from "node:fs/promises"
import { aliveFile } from "./worker.js"

/** Exit 0 while the worker went round its loop within the last five seconds. */
const at = Number(await readFile(aliveFile, "utf8").catch(() => "0"))
process.exit(Date.now() - at < 5000 ? 0 : 1)
