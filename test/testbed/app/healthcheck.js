import { readFile } from "node:fs/promises"
import { aliveFile } from "./worker.js"

/** Exit 0 while the worker went round its loop within the last half minute. */
const at = Number(await readFile(aliveFile, "utf8").catch(() => "0"))
process.exit(Date.now() - at < 30_000 ? 0 : 1)
