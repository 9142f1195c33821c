import { z } from "zod"
import { input } from "./input.ts"

/** `service=reference`, one a line; a record by service once read. */
export const imagesInput = input(z.string().transform(parseImages).optional(), {
  description:
    "Images to run, `service=reference` one a line; best by digest (`api=ghcr.io/org/api@sha256:...`). What the compose files say unless told.",
  placeholder: "SERVICE=IMAGE",
})

function parseImages(text: string, context: z.core.$RefinementCtx<string>): Readonly<Record<string, string>> {
  const lines = text.split(/[\s,]+/).filter((line) => line !== "")
  const images: Record<string, string> = {}
  for (const line of lines) {
    const [, service, image] = /^([A-Za-z0-9][\w.-]*)=(\S+)$/.exec(line) ?? []
    if (!service || !image) context.addIssue({ code: "custom", message: `\`${line}\` is not \`service=reference\`` })
    else if (service in images) context.addIssue({ code: "custom", message: `\`${service}\` is given twice` })
    else images[service] = image
  }
  return images
}
