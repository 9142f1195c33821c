import assert from "node:assert/strict"
import { test } from "node:test"
import { changedServices } from "../../src/job/changed-services.ts"

const path = "devops/docker-compose.prod.yml"
const compose = (postgres: string, rest = "") => `
x-common: &common { restart: always }
services:
  postgres: { <<: *common, image: "postgres:${postgres}" }
  cache:
    build: { context: ./cache, dockerfile: Dockerfile.cache }
  proxy:
    image: nginx
    volumes: ["./nginx/conf.d:/etc/nginx/conf.d:ro", "data:/var/cache", { type: bind, source: ./tls, target: /tls }]
    env_file: proxy.env
  api: { build: .. }
${rest}`
const before = compose("15")
const services = (after: string | undefined, files: readonly string[]) =>
  changedServices([{ path, before, after }], files)

test("a definition that differs names its service, also when only its order is the same", () => {
  assert.deepEqual(services(compose("17"), [path]), ["postgres"])
  assert.deepEqual(services(`# words\n${before}`, [path]), [])
  assert.deepEqual(services(before.replace("  api: { build: .. }\n", ""), [path]), ["api"])
})

test("files that a service is built from or mounts name it", () => {
  assert.deepEqual(services(before, ["devops/cache/Dockerfile.cache"]), ["cache"])
  assert.deepEqual(services(before, ["devops/nginx/conf.d/a.conf", "devops/tls/cert.pem"]), ["proxy"])
  assert.deepEqual(services(before, ["devops/proxy.env", "devops/cache/x"]), ["cache", "proxy"])
})

test("what cannot be laid at one door means all", () => {
  assert.equal(services(before, ["devops/other.sh"]), "all")
  assert.equal(services(compose("15", "networks: { inner: {} }"), [path]), "all")
  assert.equal(services(undefined, [path]), "all")
  assert.equal(services("services: [", [path]), "all")
  assert.equal(changedServices([], ["infra.yml"]), "all")
})
