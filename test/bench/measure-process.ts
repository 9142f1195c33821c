import { readFileSync, writeFileSync } from "node:fs"

// Loaded into a measured process by `node --import`: it leaves behind what the process took when it ends.
const path = process.env.BENCH_USAGE
if (path !== undefined)
  process.on("exit", () => {
    const io = readFileSync("/proc/self/io", "utf8")
    const [read = 0, written = 0] = [...io.matchAll(/^[rw]char: (\d+)$/gm)].map(([, bytes]) => Number(bytes))
    // Not `maxRSS`, which a process inherits from the one that started it.
    const [, memory] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? []
    writeFileSync(path, JSON.stringify({ memory: Number(memory) * 1024, bytes: read + written }))
  })
