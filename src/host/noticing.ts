import { pipeline, Readable, Transform } from "node:stream"
import type { Host, Input } from "./host.ts"

/**
 * The same host; `notice` is called whenever something asked of it begins or ends, and for each chunk of a file, an input
 * or an output on its way: a sign that its user makes progress.
 */
export function noticing(host: Host, notice: () => void): Host {
  const noticed = async <T>(work: Promise<T>): Promise<T> => {
    notice()
    return work.finally(notice)
  }
  const through = <T extends Input>(content: T) =>
    content instanceof Readable ? noticedChunks(content, notice) : content
  const withInput = <T extends { readonly input?: Input }>(options: T | undefined) =>
    options?.input === undefined ? options : { ...options, input: through(options.input) }
  return {
    name: host.name,
    run: (command, options) => noticed(host.run(command, withInput(options))),
    stream(command, options) {
      const running = host.stream(command, withInput(options))
      const done = noticed(running.done)
      done.catch(() => undefined) // told by whoever awaits it, as the inner one is
      return { stdout: noticedChunks(running.stdout, notice), done }
    },
    upload: (content, path, options) => noticed(host.upload(through(content), path, options)),
    download(path, options) {
      notice()
      return noticedChunks(host.download(path, options), notice)
    },
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  }
}

/** The same bytes. An error of the source is the result's, and a result that is given up gives up the source, read or not. */
function noticedChunks(source: Readable, notice: () => void): Readable {
  const passing = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      notice()
      next(null, chunk)
    },
  })
  return pipeline(source, passing, () => undefined) // Its errors arrive as those of the result.
}
