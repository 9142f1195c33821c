import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { describe, it } from "node:test"
import fc from "fast-check"
import { parseUpstream, renderUpstream } from "../../../src/job/deploy-app/upstream.ts"

const names = fc.uniqueArray(fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,30}$/), { minLength: 1, maxLength: 4 })

describe("upstream file", () => {
  it("is read as it was written, in both shapes", () => {
    fc.assert(
      fc.property(
        names,
        fc.option(fc.constant("/etc/nginx/conf.d/copy.inc"), { nil: undefined }),
        (targets, copySettings) => {
          const text = renderUpstream(targets, { upstream: "app", port: 3000, copySettings, release: "r1" })
          assert.deepEqual(parseUpstream(text), { targets: targets.filter((one) => one !== "127.0.0.1"), copySettings })
        },
      ),
    )
  })

  it("reads the template's first file, which names the service", () => {
    const template = new URL("../../../action-templates/nginx/upstream/app.conf", import.meta.url)
    assert.deepEqual(parseUpstream(readFileSync(template, "utf8")), {
      targets: ["api"],
      copySettings: "/etc/nginx/conf.d/copy.inc",
    })
  })

  it("reads a person's simple one and an empty one", () => {
    assert.deepEqual(parseUpstream("upstream app { server web-1:80 max_fails=2; server web-2:80; }").targets.length, 2)
    assert.deepEqual(parseUpstream(""), { targets: [], copySettings: undefined })
  })
})
