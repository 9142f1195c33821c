import assert from "node:assert/strict"
import { describe, it } from "node:test"
import { engineError, engineFault } from "../../src/docker/engine.ts"

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

  it("makes a missing file the user's error and a dead engine an operator's", () => {
    const file = engineError({ code: 14, stderr: "open /x/a.yml: no such file or directory" }, "h")
    const engine = engineError({ code: 124, stderr: "" }, "deploy@h")
    assert.equal(file?.kind, "input")
    assert.equal(engine?.kind, "failed")
    assert.match(engine?.message ?? "", /deploy@h/)
  })
})
