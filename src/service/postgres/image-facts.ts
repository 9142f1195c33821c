import { failure } from "../../core/errors.ts"
import { inspectImage } from "../../docker/image.ts"
import type { Container, ServiceDefinition } from "../../docker/stack.ts"
import { remoteScript } from "../../remote/scripts.ts"
import { sh } from "../../shell/command.ts"
import type { Service } from "../driver.ts"
import { valuesOf } from "./marked-lines.ts"

/** What a Postgres image is, by its own programs. */
export interface ImageFacts {
  readonly major: number
  /** Where it keeps its data unless the definition says otherwise. */
  readonly directory: string
  /** Extensions that can be created there. */
  readonly extensions: readonly string[]
}

/** Asks the image of a definition, which is on the host, in a throw-away container without network. */
export async function readImage(service: Service, { image, environment }: ServiceDefinition): Promise<ImageFacts> {
  const command = sh`docker run --rm --pull never --network none --label infra-actions.scratch=1 --entrypoint sh \
  ${image} -c ${remoteScript("postgres-image-inside")}`
  const { stdout } = await service.host.run(command)
  const facts = parseImage(stdout)
  if (!facts) throw failure("postgres-image", `the image ${image} of ${service.name} does not tell its version`)
  return { ...facts, directory: environment.PGDATA ?? facts.directory }
}

/** Reads lines `version postgres (PostgreSQL) 17.11 ...`, `directory PATH`, `extension NAME`, and the end's mark. */
export function parseImage(text: string): ImageFacts | undefined {
  const lines = text.split("\n")
  const [version = ""] = valuesOf(lines, "version")
  const [directory] = valuesOf(lines, "directory")
  const major = Number(/PostgreSQL\) (\d+)/.exec(version)?.[1])
  if (!Number.isInteger(major) || directory === undefined || !lines.includes("end 0")) return undefined
  return { major, directory, extensions: valuesOf(lines, "extension") }
}

/** Where a container keeps its data: what was set for it, else its image's own place. Without one, of the definition. */
export async function dataDirectory(
  service: Service,
  container: Container | undefined,
  definition: ServiceDefinition,
): Promise<string | undefined> {
  if (!container)
    return (await inspectImage(service.host, definition.image)) && (await readImage(service, definition)).directory
  // The environment holds secrets: nothing else of it leaves the host.
  const { stdout } = await service.host.run(
    sh`env=$(docker inspect --format '{{range .Config.Env}}{{println .}}{{end}}' ${container.id}) || exit
printf '%s\n' "$env" | sed -n 's/^PGDATA=//p'`,
  )
  const set = stdout.trimEnd()
  return set || (await readImage(service, { ...definition, image: container.imageId, environment: {} })).directory
}
