import { setTimeout as sleep } from "node:timers/promises"
import type { Client, ClientChannel } from "ssh2"
import { messageOf } from "../core/errors.ts"
import { bootstrap } from "./frame.ts"
import type { ChannelEnd, FrameChannel } from "./frame-channel.ts"
import { HostError } from "./host.ts"

/** Milliseconds between two tries of opening a channel while the host has too many open. */
const channelPause = 300
/** Milliseconds after which a host that opens no channel is given up. */
const channelPatience = 60_000

/**
 * Starts the bootstrap on a connection. Nothing of the command has been sent when it throws. sshd refuses what exceeds
 * MaxSessions, and counts a closing session until it is gone: waiting is the cure.
 */
export async function openSshChannel(client: Client, name: string, signal?: AbortSignal): Promise<FrameChannel> {
  const until = performance.now() + channelPatience
  for (;;) {
    try {
      return await exec(client, bootstrap, frameChannel)
    } catch (error) {
      if (!/Channel open failure/.test(messageOf(error))) throw error
      if (performance.now() > until) {
        throw new HostError("did-not-run", `${name} opens no more sessions on this connection`, {
          hint: "Check MaxSessions in the host's sshd_config; 10 is usual, and 0 forbids commands.",
          cause: error,
        })
      }
      await sleep(channelPause, undefined, signal && { signal })
    }
  }
}

/**
 * `use` gets the channel in the same turn of the event loop: the exit code of a command that ends at once comes in the
 * same packet, and an event that nobody listens to yet is gone.
 */
function exec<T>(client: Client, command: string, use: (client: Client, channel: ClientChannel) => T): Promise<T> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => (error ? reject(error) : resolve(use(client, channel))))
  })
}

function frameChannel(client: Client, channel: ClientChannel): FrameChannel {
  const end: { code?: number; signal?: string } = {}
  channel.on("exit", (code: number | null, signal?: string) => {
    if (typeof code === "number") end.code = code
    else if (signal) end.signal = signal
  })
  const closed = new Promise<ChannelEnd>((resolve) => channel.once("close", () => resolve(end)))
  // ssh2 reports the close of a channel only after its last byte was read.
  const close = () => {
    for (const stream of [channel, channel.stderr]) stream.unpipe().resume()
    channel.close()
  }
  return {
    stdin: channel,
    stdout: channel,
    stderr: channel.stderr,
    closed,
    close,
    kill(group) {
      close()
      // sshd does not signal a root login's command, nor ssh2 one whose input has ended; the host's own watch is the fallback.
      if (group === undefined) return
      const end = exec(client, `sh -c 'kill -KILL -${group}'`, (_, killer) => killer.resume().end())
      end.catch(() => undefined)
    },
  }
}
