import { connectSsh } from "../../src/host/ssh.ts"
import { startSilent } from "../conformance/host-process.ts"
import { testbedLogin } from "./testbed-login.ts"

/** A client that starts a command which says nothing, tells its parent the pid, and waits to be killed. */
const host = await connectSsh(testbedLogin())
const { pid } = await startSilent(host)
process.send?.(pid)
