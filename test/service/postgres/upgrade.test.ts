import assert from "node:assert/strict"
import { describe, it } from "node:test"
import type { ServiceDefinition } from "../../../src/docker/stack.ts"
import { type ImageFacts, parseImage } from "../../../src/service/postgres/image-facts.ts"
import { initialRole } from "../../../src/service/postgres/initial-role.ts"
import { assertDataPath } from "../../../src/service/postgres/upgrade-server.ts"

describe("what a Postgres image says of itself", () => {
  const text = "version postgres (PostgreSQL) 18.1 (Debian 18.1-1.pgdg13+2)\ndirectory /var/lib/postgresql/18/docker\n"

  it("is read whole", () => {
    assert.deepEqual(parseImage(`${text}extension plpgsql\nextension pgcrypto\nend 0\n`), {
      major: 18,
      directory: "/var/lib/postgresql/18/docker",
      extensions: ["plpgsql", "pgcrypto"],
    })
  })

  it("is nothing when it was cut off, or is no Postgres", () => {
    assert.equal(parseImage(text), undefined)
    assert.equal(parseImage("version \ndirectory /data\nend 0\n"), undefined)
  })
})

describe("the data path of an image", () => {
  const image: ImageFacts = { major: 18, directory: "/var/lib/postgresql/18/docker", extensions: [] }

  it("must lie in a volume: the mount of the images before 18 does not do", () => {
    const refused = { code: "postgres-data-path", message: /18\/docker.*it mounts \/var\/lib\/postgresql\/data/ }
    assert.throws(() => assertDataPath({ name: "db" }, image, mounting("/var/lib/postgresql/data")), refused)
    assert.throws(() => assertDataPath({ name: "db" }, image, mounting("/var/lib/postgres")), {
      code: "postgres-data-path",
    })
  })

  it("may lie anywhere below one", () => {
    for (const target of ["/var/lib/postgresql", "/var/lib/postgresql/", "/var/lib/postgresql/18/docker", "/"])
      assertDataPath({ name: "db" }, image, mounting(target))
  })
})

describe("the role that initdb makes", () => {
  const globals = `CREATE ROLE app;
ALTER ROLE app WITH SUPERUSER LOGIN PASSWORD 'SCRAM-SHA-256$x';
ALTER ROLE app SET work_mem TO '6MB';
COMMENT ON ROLE app IS 'the; first';
CREATE ROLE other;
ALTER ROLE other WITH NOLOGIN;
GRANT other TO app;
`

  it("gets what is its own, and is not made again", () => {
    const sql = initialRole(globals, "app")
    assert.match(sql, /^begin;\n[\s\S]*commit;\n$/)
    assert.ok(sql.includes("PASSWORD 'SCRAM-SHA-256$x'") && sql.includes("work_mem") && sql.includes("the; first"))
    assert.ok(!sql.includes("CREATE ROLE") && !sql.includes("other"))
  })

  it("gets nothing when the text does not know it", () => assert.equal(initialRole(globals, "nobody"), ""))
})

function mounting(target: string): ServiceDefinition {
  return {
    name: "db",
    image: "postgres:18",
    profiles: [],
    stopGracePeriod: 0,
    healthBudget: undefined,
    volumes: [{ type: "volume", source: "data", target, readOnly: false }],
    networks: [],
    dependsOn: [],
    hasContainerName: false,
    publishedPorts: [],
    environment: {},
    oneShot: false,
    replicas: 1,
    restart: "no",
  }
}
