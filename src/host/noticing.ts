import type { Host } from "./host.ts"

/** The same host; `notice` is called whenever something asked of it begins or ends: a sign that its user makes progress. */
export function noticing(host: Host, notice: () => void): Host {
  const noticed = async <T>(work: Promise<T>): Promise<T> => {
    notice()
    return work.finally(notice)
  }
  return {
    name: host.name,
    run: (command, options) => noticed(host.run(command, options)),
    stream(command, options) {
      const running = host.stream(command, options)
      const done = noticed(running.done)
      done.catch(() => undefined) // told by whoever awaits it, as the inner one is
      return { stdout: running.stdout, done }
    },
    upload: (content, path, options) => noticed(host.upload(content, path, options)),
    download(path, options) {
      notice()
      return host.download(path, options).once("close", notice)
    },
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  }
}
