import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { type Plugin, rolldown } from "rolldown"
import { actionNames, root } from "./places.ts"

/**
 * Bundles every action and the command line into `directory`: a small `<name>/index.js` each, and the chunks they
 * share. CommonJS, because ssh2 does not survive as ESM; names without hashes, so that a rebuild shows only what changed.
 */
export async function bundle(directory: string): Promise<void> {
  await using build = await rolldown({
    cwd: root,
    input: entries(),
    platform: "node",
    tsconfig: false,
    // A checkout whose node_modules is a link builds to the same bytes.
    resolve: { symlinks: false },
    plugins: [withoutNatives, remoteTexts],
    onLog: refuseWarnings,
  })
  await build.write({
    dir: directory,
    format: "cjs",
    exports: "named",
    minify: false,
    sourcemap: false,
    entryFileNames: "[name].js",
    chunkFileNames: "chunks/[name].js",
    codeSplitting: { groups: chunks },
    banner: ({ name }) => (name === "cli/index" ? askNode : ""),
  })
  mkdirSync(directory, { recursive: true })
  writeFileSync(`${directory}/package.json`, '{ "type": "commonjs" }\n')
}

const chunks = [
  { name: "aws", test: /node_modules\/(@aws-sdk|@smithy|@aws|bowser)/ },
  { name: "ssh", test: /node_modules\/(ssh2|node-ssh|asn1|bcrypt-pbkdf|tweetnacl|safer-buffer|sb-)/ },
  { name: "libraries", test: /node_modules\// },
  { name: "suite", test: /\/src\/|\/actions\/[^/]+\/(action|contract)\.ts$/ },
]

/** A runner brings its Node; who types a command has another, perhaps, and an older one cannot even read the bundle. */
const askNode = `if (Number.parseInt(process.versions.node) < 24) {
	console.error("infra-actions needs Node 24 or newer, and this is " + process.version);
	process.exit(2);
}`

function entries(): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of actionNames()) {
    for (const part of ["main", "post"]) {
      const source = `actions/${name}/${part}.ts`
      if (existsSync(`${root}/${source}`)) found[`${name}/${part === "main" ? "index" : "post"}`] = source
    }
  }
  if (existsSync(`${root}/actions/cli/main.ts`)) found["cli/index"] = "actions/cli/main.ts"
  return found
}

/** ssh2 and cpu-features try their compiled parts and go on without them: those are built for one machine only. */
const withoutNatives: Plugin = {
  name: "without-natives",
  resolveId: {
    filter: { id: /\.node$/ },
    handler: (id) => ({ id: `\0native:${id.split("/").at(-1)}`, moduleSideEffects: true }),
  },
  load: {
    filter: { id: /^\0native:/ },
    handler: () => ({ code: 'throw new Error("compiled parts are left out of the bundle")', moduleType: "js" }),
  },
}

/** A bundle cannot read files beside its source: the scripts that run on the host become texts in it. */
const remoteTexts: Plugin = {
  name: "remote-texts",
  load: {
    filter: { id: /\/src\/remote\/scripts\.ts$/ },
    handler() {
      const folder = `${root}/src/remote`
      const names = readdirSync(folder).filter((file) => file.endsWith(".sh"))
      const texts = names.sort().map((file) => [file.slice(0, -3), readFileSync(`${folder}/${file}`, "utf8")])
      const code = `
        const texts = ${JSON.stringify(Object.fromEntries(texts), undefined, 2)}
        export function remoteScript(name) {
          const text = texts[name]
          if (text === undefined) throw new Error("no remote script " + name)
          return text
        }`
      return { code, moduleType: "js" }
    },
  },
}

function refuseWarnings(level: string, log: { readonly code?: string; readonly message: string }): void {
  if (level === "warn" && log.code !== "EVAL") throw new Error(`the bundle has a fault: ${log.message}`)
}
