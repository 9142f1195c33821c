import { after, before } from "node:test"
import { testObjectLock } from "../conformance/object-lock.ts"
import { privateVersitygw } from "./private-versitygw.ts"

let server: Awaited<ReturnType<typeof privateVersitygw>>
before(async () => {
  server = await privateVersitygw()
})
after(() => server[Symbol.asyncDispose]())

testObjectLock("versitygw", async () => server)
