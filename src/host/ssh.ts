import type { Readable } from "node:stream"
import type { FrameChannel } from "./frame-channel.ts"
import { framedHost } from "./frame-host.ts"
import { type Host, HostError } from "./host.ts"
import { openSshChannel } from "./ssh-channel.ts"
import { connectionError } from "./ssh-error.ts"
import { openLink, type SshLink, type SshTimeouts } from "./ssh-link.ts"
import { type CheckedLogin, checkLogin, type SshLogin } from "./ssh-login.ts"

export interface SshOptions extends SshLogin {
  /** A host on the way, with a login and a host key check of its own. */
  readonly jump?: SshLogin
  readonly log?: (line: string) => void
  /** Cuts the connection, and everything on it, at once. */
  readonly signal?: AbortSignal
  readonly timeouts?: Partial<SshTimeouts>
}

/**
 * Connects to a host whose key is known. Throws an input error for what is wrong with the options before anything is
 * sent, else a `HostError`. A connection that is lost later fails what was running on it; the next command connects
 * anew, under the same checks.
 */
export async function connectSsh(options: SshOptions): Promise<Host> {
  const { log = () => undefined, jump, timeouts } = options
  const login = checkLogin(options)
  const hop = jump && checkLogin(jump)
  const ending = new AbortController()
  const signal = AbortSignal.any([ending.signal, ...(options.signal ? [options.signal] : [])])
  const link = { log, signal, timeouts: { ready: 20_000, keepalive: 10_000, ...timeouts } }
  const links = keepOne(() => (hop ? openThrough(hop, login, link) : openLink(login, link)))
  const host = framedHost({
    name: login.name,
    signal,
    open: (stop) => refuseWhenAborted(login.name, signal, () => openChannel(links, login, stop)),
    async dispose() {
      ending.abort()
      await links.end()
    },
  })
  await refuseWhenAborted(login.name, signal, links.get)
  return host
}

/** One connection for everybody, made when it is needed and forgotten when it is lost. */
interface Links {
  readonly get: () => Promise<SshLink>
  readonly end: () => Promise<void>
}

function keepOne(open: () => Promise<SshLink>): Links {
  let current: Promise<SshLink> | undefined
  return {
    async get() {
      if (current) return current
      const opening = open()
      current = opening
      const forget = () => {
        if (current === opening) current = undefined
      }
      opening.then(({ closed }) => closed.then(forget), forget)
      return opening
    },
    async end() {
      // A connection that never came about needs no end.
      const link = await current?.catch(() => undefined)
      link?.cut()
      await link?.closed
    },
  }
}

/** A connection may be found dead only when it is used: as nothing was sent on it, another one is as good. */
async function openChannel(links: Links, login: CheckedLogin, signal: AbortSignal | undefined): Promise<FrameChannel> {
  const first = await links.get()
  try {
    return await openSshChannel(first.client, login.name, signal)
  } catch (error) {
    if (error instanceof HostError) throw error
    signal?.throwIfAborted()
    first.cut()
    await first.closed
  }
  const second = await links.get()
  return openSshChannel(second.client, login.name, signal).catch((error) => {
    throw connectionError(error, login)
  })
}

async function openThrough(
  hop: CheckedLogin,
  login: CheckedLogin,
  options: Parameters<typeof openLink>[1],
): Promise<SshLink> {
  const first = await openLink(hop, options)
  const through = () =>
    new Promise<Readable>((resolve, reject) => {
      first.client.forwardOut("127.0.0.1", 0, login.address, login.port, (error, stream) => {
        if (!error) return resolve(stream)
        const hint = "Check that the jump host reaches it and that its sshd allows TCP forwarding (AllowTcpForwarding)."
        reject(
          new HostError("unreachable", `${hop.name} cannot reach ${login.name}: ${error.message}`, {
            hint,
            cause: error,
          }),
        )
      })
    })
  try {
    const link = await openLink(login, { ...options, through })
    void link.closed.then(first.cut) // Which closes what went through it.
    return { client: link.client, closed: first.closed, cut: first.cut }
  } catch (error) {
    first.cut()
    throw error
  }
}

async function refuseWhenAborted<T>(name: string, signal: AbortSignal, act: () => Promise<T>): Promise<T> {
  try {
    signal.throwIfAborted()
    return await act()
  } catch (error) {
    if (!signal.aborted) throw error
    throw new HostError("aborted", `the connection to ${name} was called off`, { cause: signal.reason })
  }
}
