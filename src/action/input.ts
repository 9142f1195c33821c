import { z } from "zod"
import { backupTime } from "../core/backup-id.ts"
import { parseDuration } from "../core/duration.ts"
import { Secret } from "../shell/secret.ts"

/** What a person has to know about an input besides its schema; the source of `action.yml`, the README and `--help`. */
export interface InputMeta {
  /** One sentence or two. */
  readonly description: string
  /** Masked as soon as it is read, and never taken from the command line. */
  readonly secret?: boolean
  /** Environment variables read when the input is absent, in this order. */
  readonly env?: readonly string[]
  /** Inputs of one family come from one place: all given, or all from variables of the same rank. */
  readonly family?: string
  /** How `--help` names the value: `DURATION`, `ID`. */
  readonly placeholder?: string
}

const metas = z.registry<InputMeta>()

/** The schema as an input of a contract: call it last, on the whole schema with its default. */
export function input<Schema extends z.ZodType>(schema: Schema, meta: InputMeta): Schema {
  metas.add(schema, meta)
  return schema
}

/** Throws a TypeError for a schema that was not made by `input`: a mistake in a contract. */
export function inputMeta(schema: z.core.$ZodType): InputMeta {
  const meta = metas.get(schema)
  if (!meta) throw new TypeError("every input of a contract is made by input()")
  return meta
}

/** The default as text, as it stands in `action.yml`; undefined when the input may be absent or must be given. */
export function defaultText(schema: z.core.$ZodType): string | undefined {
  return schema instanceof z.ZodDefault ? String(schema.def.defaultValue) : undefined
}

/** Whether leaving it out is an error. The runner does not check this, we do. */
export function isRequired(schema: z.core.$ZodType): boolean {
  return !(schema instanceof z.ZodDefault || schema instanceof z.ZodOptional)
}

/** Whether a flag without a value means `true`. */
export function isFlag(schema: z.core.$ZodType): boolean {
  return schema instanceof z.ZodDefault && typeof schema.def.defaultValue === "boolean"
}

/** `true` or `false`; anything else is a mistake, never a silent `false`. */
export const boolean = z.stringbool({ truthy: ["true"], falsy: ["false"] })

/** Decimal digits only: neither `12abc` nor `0x10` nor the empty text is a number. */
export const wholeNumber = z
  .string()
  .regex(/^\d{1,15}$/, "use a whole number")
  .transform(Number)

/** Words separated by commas, spaces or line ends; empty ones dropped. */
export const words = z.string().transform((text) => text.split(/[\s,]+/).filter((word) => word !== ""))

/** The id of a backup, or one of the words that stand for one. Its form is looked at before any host is asked. */
export function backupNamed(...words: readonly string[]) {
  const expected = ["an id such as backup-20261121-020000", ...words].join(", or ")
  return z.string().refine((text) => words.includes(text) || backupTime(text) !== undefined, `use ${expected}`)
}

/** Milliseconds from `90s`, `10m`, `1h30m`. */
export const time = z.string().transform((text, context) => {
  const milliseconds = parseDuration(text)
  if (milliseconds === undefined) context.addIssue({ code: "custom", message: "use a duration such as 90s or 1h30m" })
  return milliseconds ?? z.NEVER
})

/** A value that becomes a `Secret` called `name` the moment it is parsed. Line ends are made Unix ones. */
export function secret(name: string): z.ZodType<Secret, string> {
  return z.string().transform((value) => new Secret(name, value))
}
