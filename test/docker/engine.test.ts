import assert from "node:assert/strict"
import { describe, it } from "node:test"
import fc from "fast-check"
import { engineError, engineFault } from "../../src/docker/engine.ts"

/** What compose says of a value in an environment file, in a service's, and in a compose file. */
const complaints: readonly ((value: string) => string)[] = [
  (value) => `failed to read /opt/x/.env: Invalid template: ${JSON.stringify(value)}`,
  (value) => `failed to read /opt/x/.env: line 7: unterminated quoted value "${value}`,
  (value) => `failed to read /opt/x/.env: line 1: unexpected character "&" in variable name "9&=${value}"`,
  (value) => `failed to read /opt/x/.env: required variable ${value} is missing a value: ${value}`,
  (value) => `failed to read /opt/x/.env: a reason of a later release: ${value}`,
  (value) => `Invalid template: ${JSON.stringify(value)}`,
  (value) => `line 2: unterminated quoted value '${value}`,
  (value) => `required variable ${value} is missing a value`,
  (value) =>
    `invalid interpolation format for services.db.environment.A.\nYou may need to escape any $ with another $.\n${value}`,
  (value) =>
    `time="x" level=warning msg=${JSON.stringify(`The ${JSON.stringify(value)} variable is not set. D`)}\nyaml: x`,
]

describe("engineFault", () => {
  for (const [fault, code, stderr] of [
    [
      "engine-down",
      1,
      "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
    ],
    ["engine-down", 1, "error during connect: this error may indicate that the docker daemon is not running"],
    [
      "engine-denied",
      1,
      "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
    ],
    ["engine-hung", 124, ""],
    ["engine-hung", 143, ""],
    ["engine-hung", 137, ""],
    ["docker-missing", 127, "timeout: failed to run command 'docker': No such file or directory"],
    ["docker-missing", 127, "timeout: can't execute 'docker': No such file or directory"],
    ["docker-missing", 127, "sh: 3: docker: not found"],
    ["compose-missing", 1, "docker: 'compose' is not a docker command.\nSee 'docker --help'"],
    ["compose-missing", 125, "unknown flag: --ansi\nSee 'docker --help'."],
    ["compose-env-file-missing", 1, "Couldn't find env file: /opt/x/.env.production"],
    ["compose-files-missing", 14, "open /opt/x/docker-compose.prod.yml: no such file or directory"],
    ["compose-files-missing", 14, "sh: 2: cd: can't cd to /opt/nowhere"],
    ["compose-env-file-invalid", 1, 'failed to read /opt/x/.env: line 7: unterminated quoted value "s3cret'],
    ["compose-env-file-invalid", 1, 'line 2: unexpected character "&" in variable name "9PASS&WORD=s3cret"'],
    ["compose-invalid", 15, "validating /opt/x/a.yml: services.a Additional property imag is not allowed"],
    [
      "compose-invalid",
      15,
      "error while interpolating services.a.image: required variable X is missing a value: needed",
    ],
    [undefined, 1, "Error response from daemon: No such container: x"],
    [undefined, 0, "Cannot connect to the Docker daemon"],
  ] as const) {
    it(`tells ${fault ?? "no fault"} from "${stderr.slice(0, 40)}" (${code})`, () => {
      assert.equal(engineFault({ code, stderr }), fault)
    })
  }

  it("keeps a secret that compose quotes to itself", () => {
    const stderr = 'failed to read /opt/x/.env: line 7: unterminated quoted value "s3cret'
    const message = engineError({ code: 1, stderr }, "h")?.message ?? ""
    assert.match(message, /\/opt\/x\/.env: line 7: unterminated/)
    assert.doesNotMatch(message, /s3cret/)
  })

  it("names a service's own broken file of variables for what it is, and a compose file's variable by its name", () => {
    const missing = "required variable et is missing a value"
    assert.equal(engineError({ code: 1, stderr: missing }, "h")?.code, "compose-env-file-invalid")
    const place = "error while interpolating services.db.image: required variable TAG is missing a value: set it"
    assert.match(engineError({ code: 15, stderr: place }, "h")?.message ?? "", /TAG is missing a value: set it/)
  })

  it("shows no part of a value that compose cannot read, whatever is in it", () => {
    const value = fc.string({ unit: fc.constantFrom(..."${}: \n\"'\\/.xé".split("")), maxLength: 20 })
    fc.assert(
      fc.property(fc.tuple(value, value), fc.constantFrom(...complaints), ([before, after], complain) => {
        const stderr = complain(`${before}s3cret${after}`)
        const error = engineError({ code: 1, stderr }, "h")
        assert.ok(error, stderr)
        assert.doesNotMatch(error.message, /s3cret/)
      }),
    )
  })

  it("makes a missing file the user's error and a dead engine an operator's", () => {
    const file = engineError({ code: 14, stderr: "open /x/a.yml: no such file or directory" }, "h")
    const engine = engineError({ code: 124, stderr: "" }, "deploy@h")
    assert.equal(file?.kind, "input")
    assert.equal(engine?.kind, "failed")
    assert.match(engine?.message ?? "", /deploy@h/)
  })
})
