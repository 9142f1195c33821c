import assert from "node:assert/strict"
import { cpSync } from "node:fs"
import { after, before, describe, it } from "node:test"
import { postgresDriver } from "../../../src/service/postgres/index.ts"
import { directWork } from "../../support/direct-work.ts"
import { type Ground, openGround } from "./postgres-ground.ts"

const driver = postgresDriver()

describe("roles that a restore brings back", () => {
  let old: Ground
  let same: Ground
  let other: Ground
  before(async () => {
    const config = { databases: ["app"] }
    const opened = [
      openGround("roles-old", { major: 15, prefix: "t-pgr", config }),
      openGround("roles-same", { major: 17, prefix: "t-pgr", config }),
      openGround("roles-other", { major: 17, prefix: "t-pgr", config, user: "postgres" }),
    ] as const
    ;[old, same, other] = await Promise.all(opened)
  })
  after(async () => {
    await using _one = old
    await using _two = same
    await using _three = other
  })

  let rounds = 0
  const backUp = async (ground: Ground) => {
    const round = `2026-01-04-${String(++rounds).padStart(6, "0")}`
    const work = directWork(ground.service.host)
    return (
      (await driver.backup?.(ground.service, ground.container(), { id: round, stamp: round }, work)) ?? assert.fail()
    )
  }
  const restoreInto = async (ground: Ground, from: Ground) => {
    const held = await backUp(from)
    if (ground !== from) cpSync(from.backups, ground.backups, { recursive: true })
    const work = directWork(ground.service.host)
    return (await driver.restore?.(ground.service, ground.container(), held, work)) ?? assert.fail()
  }
  /** `member<role by grantor`, with the options that it has. */
  const memberships = (ground: Ground) =>
    ground
      .sql(
        "app",
        `select format('%s<%s by %s', member::regrole, roleid::regrole, grantor::regrole)
           || case when admin_option then ' admin' else '' end || case when inherit_option then ' inherit' else '' end
           || case when set_option then ' set' else '' end
         from pg_auth_members where roleid > 16383 order by 1`,
      )
      .split("\n")

  it("keep their memberships from a major where anybody could grant, and who may grant here stays the grantor", async () => {
    old.sql(
      "app",
      `create role dba superuser login; create role grp; create role team; create role a_member; create role z_member noinherit;
       grant team to dba with admin option;
       set role dba; grant grp to a_member; grant grp to z_member with admin option; grant team to a_member`,
    )
    const { caveat, kept } = await restoreInto(same, old)
    assert.deepEqual(memberships(same), [
      "a_member<grp by clinic inherit set",
      "a_member<team by dba inherit set",
      "dba<team by clinic admin inherit set",
      "z_member<grp by clinic admin set",
    ])
    assert.match(caveat ?? "", /"a_member" in "grp" \(was by "dba"\), "z_member" in "grp" \(was by "dba"\)\.$/)
    assert.match(kept, /: "a_member", "dba" \(SUPERUSER, LOGIN\), "grp", "team", "z_member"\.$/)
  })

  it("have all that several grantors gave, where one of them may not grant any more", async () => {
    same.sql(
      "app",
      `create role crew; create role admin_of_it; create role "m;'x"; grant crew to admin_of_it with admin option;
       grant crew to "m;'x" with inherit false, set false;
       set role admin_of_it; grant crew to "m;'x" with inherit true, set false`,
    )
    const held = await backUp(same)
    same.sql("app", `drop role "m;'x"; revoke admin option for crew from admin_of_it`)
    const restore = () => driver.restore?.(same.service, same.container(), held, directWork(same.service.host))
    assert.match((await restore())?.kept ?? "", /Roles that were missing are back .*: "m;'x"\.$/)
    assert.doesNotMatch((await restore())?.kept ?? "", /Roles/)
    const crew = () => memberships(same).filter((one) => one.includes("m;'x"))
    assert.deepEqual(crew(), [`"m;'x"<crew by clinic inherit`])
    same.sql("app", `drop role "m;'x"; grant crew to admin_of_it with admin option`)
    await restore()
    assert.deepEqual(crew(), [`"m;'x"<crew by admin_of_it inherit`, `"m;'x"<crew by clinic`])
  })

  it("keep their memberships on a server whose first role is another", async () => {
    const was = memberships(same)
    const { caveat } = await restoreInto(other, same)
    const granted = (all: readonly string[]) =>
      all.map((one) => one.replace(/by (clinic|postgres)/, "by the first role"))
    assert.deepEqual(granted(memberships(other)), granted(was))
    assert.match(caveat ?? "", /granted by the first role of the server/)
  })
})
