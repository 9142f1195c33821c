import { pipeline, Readable, Transform } from "node:stream"

/** The bytes of an input on their way to their reader, each chunk told. An error of the source is the result's. */
export function observeInput(source: Readable, seen: (chunk: Buffer) => void): Readable {
  const passing = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      seen(chunk)
      next(null, chunk)
    },
  })
  // Its errors arrive as those of the result.
  return pipeline(source, passing, () => undefined)
}

/**
 * The bytes of an output, each chunk told. Nothing is read ahead, so that an error never drops bytes that came before it; a
 * result that is given up gives up the source.
 */
export function observeOutput(source: Readable, seen: (chunk: Buffer) => void): Readable {
  const chunks = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  source.on("error", () => undefined) // Thrown by the iterator, when it comes to it.
  return new Readable({
    highWaterMark: 0,
    read() {
      chunks
        .next()
        .then(({ done, value }) => {
          if (!done) seen(value)
          this.push(done ? null : value)
        })
        .catch((error) => this.destroy(error))
    },
    destroy(error, next) {
      source.destroy()
      next(error)
    },
  })
}
