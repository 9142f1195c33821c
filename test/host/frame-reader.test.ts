import assert from "node:assert/strict"
import { text } from "node:stream/consumers"
import { test } from "node:test"
import fc from "fast-check"
import { frame } from "../../src/host/frame.ts"
import { frameReader } from "../../src/host/frame-reader.ts"

const marks = frame("true", { input: false, limit: 1000 })

/** Feeds the bytes in pieces and gathers what comes out. */
async function read(bytes: Buffer, cuts: readonly number[] = []) {
  const reader = frameReader(marks)
  const ends = [...new Set([...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b)
  let at = 0
  for (const end of ends) {
    reader.stream.write(bytes.subarray(at, end))
    at = end
  }
  reader.stream.end()
  const output: Buffer[] = []
  for await (const chunk of reader.stream) output.push(chunk)
  await reader.settled
  return { output: Buffer.concat(output), code: reader.code(), started: reader.started(), group: reader.group() }
}

test("however the bytes are cut, the output is whole, the noise gone, the code read", async () => {
  // Pieces that look like the beginning of a mark are where holding back goes wrong.
  const tricky = fc.constantFrom("\n", `\n${marks.end}`, `\n${marks.end.slice(0, 9)}`, marks.end, "ia-", marks.start)
  const body = fc
    .array(
      fc.oneof(
        tricky.map((piece) => Buffer.from(piece)),
        fc.uint8Array({ maxLength: 40 }),
      ),
      { maxLength: 8 },
    )
    .map((pieces) => Buffer.concat(pieces))
    .filter(
      (bytes) =>
        !bytes.includes(`\n${marks.end} `) &&
        !bytes.subarray(-marks.end.length - 1).equals(Buffer.from(`\n${marks.end}`)),
    )
  const noise = fc.uint8Array({ maxLength: 60 })
  const cuts = fc.array(fc.nat(400), { maxLength: 12 })
  const law = fc.asyncProperty(
    noise,
    body,
    fc.integer({ min: 0, max: 255 }),
    cuts,
    async (before, output, code, at) => {
      const bytes = Buffer.concat([
        before,
        Buffer.from(`${marks.start} 42\n`),
        output,
        Buffer.from(`\n${marks.end} ${code}\nlate`),
      ])
      const seen = await read(bytes, at)
      assert.deepEqual(seen, { output, code, started: true, group: 42 })
    },
  )
  await fc.assert(law, { numRuns: 300 })
})

test("without the end mark there is no code, and all bytes are kept", async () => {
  const cut = await read(Buffer.from(`${marks.start} 0\nhalf\n${marks.end}`))
  assert.deepEqual(cut, { output: Buffer.from(`half\n${marks.end}`), code: undefined, started: true, group: undefined })
  const half = await read(Buffer.from(`${marks.start} 0\nall\n${marks.end} 1`))
  assert.equal(half.code, undefined)
})

test("without the start mark all is noise", async () => {
  const none = await read(Buffer.from(`Welcome!\n\n${marks.end} 0\n`))
  assert.deepEqual(none, { output: Buffer.alloc(0), code: undefined, started: false, group: undefined })
})

test("output is passed on before the command ends", async () => {
  const reader = frameReader(marks)
  reader.stream.write(`${marks.start} 0\nfirst line\nsecond`)
  const [chunk] = await reader.stream
    .iterator({ destroyOnReturn: false })
    .next()
    .then(({ value }) => [String(value)])
  assert.equal(chunk, "first line\nsecond")
  reader.stream.end(`\n${marks.end} 0\n`)
  assert.equal(await text(reader.stream), "")
})
