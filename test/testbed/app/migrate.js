import { readdir, readFile } from "node:fs/promises"

const folder = new URL("./migrations/", import.meta.url)

/** Applies the numbered files not applied yet, each in a transaction of its own; copies starting together take turns. */
export async function migrate(database) {
  const client = await database.connect()
  try {
    await client.query("select pg_advisory_lock(20260101)")
    await client.query(
      "create table if not exists schema_migrations (name text primary key, applied_at timestamptz not null default now())",
    )
    const { rows } = await client.query("select name from schema_migrations")
    const applied = new Set(rows.map((row) => row.name))
    for (const name of (await readdir(folder)).sort()) {
      if (!applied.has(name)) await apply(client, name)
    }
    await client.query("select pg_advisory_unlock(20260101)")
    client.release()
  } catch (error) {
    // The connection holds the lock, perhaps a transaction too: drop it.
    client.release(true)
    throw error
  }
}

async function apply(client, name) {
  const text = await readFile(new URL(name, folder), "utf8")
  await client.query("begin")
  await client.query(text)
  await client.query("insert into schema_migrations (name) values ($1)", [name])
  await client.query("commit")
  console.log(`applied ${name}`)
}
