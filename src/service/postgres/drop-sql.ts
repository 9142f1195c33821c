import { connectionTo, identifier, literal } from "./identifiers.ts"

/**
 * SQL for psql that drops a database if it is there, ending its sessions. Subscriptions would forbid it: they are taken
 * out first, without their slot, which the server at the other end may still need for the live one. One that is closed is
 * opened for that; one whose dropping was cut off can only be dropped.
 */
export function dropSql(name: string): string {
  return `select count(*) > 0 as there, coalesce(bool_and(datconnlimit <> -2), false) as whole from pg_database where datname = ${literal(name)} \\gset
\\if :whole
alter database ${identifier(name)} allow_connections true;
\\connect -reuse-previous=on ${psqlArgument(connectionTo(name))}
set session_replication_role = replica;
${subscriptionsSql("alter subscription %I disable")}
${subscriptionsSql("alter subscription %I set (slot_name = none)")}
${subscriptionsSql("drop subscription %I")}
\\connect -reuse-previous=on "dbname=template1"
\\endif
\\if :there
drop database ${identifier(name)} with (force);
\\endif`
}

function subscriptionsSql(statement: string): string {
  return `select pg_catalog.format(${literal(statement)}, subname) from pg_catalog.pg_subscription
where subdbid = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()) \\gexec`
}

/** An argument of psql's `connect`, which reads it as an identifier: only double quotes mean anything in it. */
function psqlArgument(text: string): string {
  return `"${text.replaceAll('"', '""')}"`
}
