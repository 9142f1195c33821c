import { Buffer } from "node:buffer"
import type { Readable } from "node:stream"
import { inputError } from "../core/errors.ts"
import { jobProgram, remoteCall } from "../remote/call.ts"
import type { Command } from "../shell/command.ts"
import { Secret } from "../shell/secret.ts"
import type { Host, Input } from "./host.ts"

/** Seconds a follower stays at most: none outlives its client for longer. */
export const followSeconds = 50

/** Seconds between asking work to end and making it. */
export const graceSeconds = 10

/** A piece of detached work, as the keeper on the host is told. */
export interface Piece {
  /** The folder that it claims. */
  readonly folder: string
  readonly run: string
  readonly step: string
  readonly journal: string
  readonly lock: string
  readonly claim: number
  /** Milliseconds: the lease's, and until the work is ended. */
  readonly ttl: number
  readonly limit: number
}

/** Starts `script` detached in its folder and follows it. `inputBytes` is the length of what comes on standard input. */
export function startCommand(piece: Piece, script: Command, inputBytes: number | undefined): Command {
  const seconds = (milliseconds: number) => String(Math.max(1, Math.ceil(milliseconds / 1000)))
  const about = [
    piece.run,
    piece.step,
    piece.journal,
    piece.lock,
    String(piece.claim),
    seconds(piece.ttl),
    seconds(piece.limit),
    String(graceSeconds),
  ]
  if (about.some((line) => line.includes("\n")))
    throw inputError("path-newline", `a path on the host holds a line break: ${JSON.stringify(piece.journal)}`, {
      hint: "Use a base directory without line breaks (host.directory in infra.yml).",
    })
  const text = `${script.text}\n`
  return remoteCall("keeper", "change", {
    name: "work_start",
    args: [
      piece.folder,
      about.join("\n"),
      text,
      Buffer.byteLength(text),
      jobProgram(),
      inputBytes ?? "-",
      followSeconds,
    ],
  })
}

/** Follows the output of the work in `folder` from byte `offset` on. */
export function followCommand(folder: string, offset: number): Command {
  return remoteCall("keeper", "read", { name: "work_follow", args: [folder, offset, followSeconds] })
}

/** Ends the work in `folder`: asked first, made after ten seconds. Its code is then 143, 137 or its own. */
export async function stopWork(host: Host, folder: string): Promise<void> {
  await host.run(remoteCall("keeper", "change", { name: "work_stop", args: [folder, graceSeconds] }))
}

/** What a follower says last: how the work stands. */
export type Verdict = Ended | { readonly kind: "again" } | { readonly kind: "cut" } | { readonly kind: "unstarted" }

interface Ended {
  readonly kind: "ended"
  readonly code: number
  /** Whether the work was ended because its time was over. */
  readonly limit: boolean
}

/** Splits a follower's standard error into the work's own and the verdict; undefined when it gave none. */
export function readVerdict(stderr: string): { readonly verdict: Verdict; readonly stderr: string } | undefined {
  const found = /(?:^|\n)keeper: (?:(again|cut|unstarted)|ended (\d+)( limit)?)\n$/.exec(stderr)
  if (!found) return undefined
  const [, kind, code, limit] = found
  const rest = stderr.slice(0, found.index)
  return {
    stderr: rest,
    verdict: kind ? { kind: kind as "again" } : { kind: "ended", code: Number(code), limit: limit !== undefined },
  }
}

/** An input whose length is known and that can be sent again. A stream is read whole: upload what is large instead. */
export async function wholeInput(input: Input): Promise<{ readonly input: Input; readonly bytes: number }> {
  if (input instanceof Secret) return { input, bytes: Buffer.byteLength(input.reveal()) }
  if (typeof input === "string" || input instanceof Uint8Array) return { input, bytes: Buffer.byteLength(input) }
  const bytes = await readAll(input)
  return { input: bytes, bytes: bytes.length }
}

const inputLimit = 64 * 1024 * 1024

async function readAll(stream: Readable): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk)
    chunks.push(bytes)
    size += bytes.length
    if (size > inputLimit)
      throw new RangeError("a step's input is limited to 64 MiB: upload the file, then use its path")
  }
  return Buffer.concat(chunks)
}
