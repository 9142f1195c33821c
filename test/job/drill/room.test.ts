import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { lackForDrill, limitWithin } from "../../../src/job/drill/room.ts"

const backups = "/opt/shop/backups"

/** As `host-facts.sh` prints them, in KiB. */
function facts(disks: Readonly<Record<string, readonly [number, number]>>): string {
  const lines = Object.entries(disks).map(([path, [size, free]]) => `disk\t${path}\t${size}\t${free}`)
  return [...lines, "docker-root\t/var/lib/docker", ""].join("\n")
}

const lack = (text: string, data: number, files: number) =>
  lackForDrill(text, { needed: { data: data * 1024, files: files * 1024 }, backups })

describe("room for a drill", () => {
  const two = facts({ [backups]: [1000, 200], "/var/lib/docker": [2000, 500] })

  test("each disk keeps a twentieth free", () => {
    assert.deepEqual(lack(two, 400, 150), [])
    assert.match(lack(two, 401, 0)[0] ?? "", /^\/var\/lib\/docker has 500\.0 KiB free; the drill takes 401\.0 KiB/)
    assert.match(lack(two, 0, 151)[0] ?? "", /^\/opt\/shop\/backups has/)
  })

  test("what lies on one disk adds up", () => {
    const one = facts({ [backups]: [1000, 200], "/var/lib/docker": [1000, 200] })
    assert.deepEqual(lack(one, 100, 50), [])
    assert.equal(lack(one, 100, 51).length, 2)
  })

  test("a disk that cannot be looked at has no room", () => {
    const unknown = `disk\t${backups}\tunknown\tdf gave no numbers\ndocker-root\t/var/lib/docker\n`
    assert.equal(lack(unknown, 1, 1).length, 2)
    assert.equal(lack("", 1, 0).length, 1)
    assert.deepEqual(lack(unknown, 0, 0), [])
  })
})

describe("memory for a drill", () => {
  const meminfo = (kib: number) => `MemTotal:       99999999 kB\nMemAvailable: ${kib} kB\nBuffers: 1 kB\n`

  test("is what the server wants, at most half of what is left", () => {
    assert.equal(limitWithin(meminfo(8 * 2 ** 20), 2 ** 30), 2 ** 30)
    assert.equal(limitWithin(meminfo(2 ** 21), 2 ** 31), 2 ** 30)
  })

  test("that is too little refuses, and so does not knowing", () => {
    assert.equal(limitWithin(meminfo(2 ** 20), 2 ** 30), 2 ** 29)
    assert.throws(() => limitWithin(meminfo(2 ** 20 - 1), 2 ** 30), { kind: "refused", code: "memory" })
    assert.throws(() => limitWithin("MemTotal: 5 kB\n", 2 ** 30), { code: "memory-unknown" })
  })
})
