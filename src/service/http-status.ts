import type { Host } from "../host/host.ts"
import { remoteScript } from "../remote/scripts.ts"
import { script } from "../shell/command.ts"

/** What came of asking a URL: a wrong answer, no answer and no means to ask are three different things (S11). */
export type HttpAnswer =
  | { readonly kind: "answered"; readonly status: number; readonly milliseconds: number | undefined }
  | { readonly kind: "unreachable"; readonly reason: string }
  | { readonly kind: "unable"; readonly reason: string }

/** Asks a URL from the host, with its curl or else its wget; `timeout` in milliseconds. Redirects are not followed. */
export async function askUrl(host: Host, url: string, timeout: number): Promise<HttpAnswer> {
  const seconds = Math.max(1, Math.ceil(timeout / 1000))
  const command = script("read", remoteScript("http-probe"), [url, seconds])
  const { code, stdout, stderr } = await host.run(command, { allow: "any", timeout: timeout + 10_000 })
  if (code === 10) return { kind: "unable", reason: "the host has neither curl nor wget" }
  const [, status, taken] = /^(\d{3}) ([\d.]*)\s*$/.exec(stdout) ?? []
  if (code !== 0 || status === undefined || status === "000") {
    return { kind: "unreachable", reason: stderr.trim().split("\n").at(-1) || `exit code ${code}` }
  }
  return { kind: "answered", status: Number(status), milliseconds: taken ? Number(taken) * 1000 : undefined }
}
