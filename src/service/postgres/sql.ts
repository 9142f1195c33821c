import { literal } from "./identifiers.ts"
import { restoringRole } from "./restoring-roles.ts"

/** Facts about the server and its databases; one JSON object. */
export const serverSql = `
select json_build_object(
  'version', current_setting('server_version_num')::int,
  'now', to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
  'systemIdentifier', (select system_identifier::text from pg_control_system()),
  'dataChecksums', current_setting('data_checksums') = 'on',
  'superuser', (select rolsuper from pg_roles where rolname = current_user),
  'standby', pg_is_in_recovery(),
  'oldSnapshotThreshold', coalesce(current_setting('old_snapshot_threshold', true), '-1'),
  'roles', (select json_agg(rolname) from pg_roles),
  'leftRoles', (select coalesce(json_agg(rolname), '[]') from pg_roles where shobj_description(oid, 'pg_authid') = ${literal(restoringRole)}),
  'ownTablespaces', (select coalesce(json_agg(spcname), '[]') from pg_tablespace where spcname not in ('pg_default', 'pg_global')),
  'databases', (
    select json_agg(json_build_object(
      'name', datname,
      'size', pg_database_size(oid),
      'connectable', datallowconn and datconnlimit <> -2,
      'template', datistemplate,
      'comment', shobj_description(oid, 'pg_database'),
      'prepared', (select count(*) from pg_prepared_xacts where database = datname),
      'slots', (select coalesce(json_agg(slot_name), '[]') from pg_replication_slots where database = datname),
      'subscriptions', (select coalesce(json_agg(subname), '[]') from pg_subscription where subdbid = pg_database.oid and subenabled)
    ) order by datname)
    from pg_database))`

/** Numbers for a probe, and the databases that are there, without one whose drop was cut off; one JSON object. */
export const probeSql = `
select json_build_object(
  'connections', (select count(*) from pg_stat_activity where backend_type = 'client backend'),
  'maxConnections', current_setting('max_connections')::int,
  'version', current_setting('server_version'),
  'standby', pg_is_in_recovery(),
  'sizes', (select json_object_agg(datname, pg_database_size(oid) order by datname) from pg_database where datallowconn),
  'databases', (select coalesce(json_agg(datname order by datname), '[]') from pg_database where datconnlimit <> -2 and datname not in ('template0', 'template1')))`

/**
 * Counts a database exactly, one line for each thing: `table OID {json}`, `member OID` (a table of an extension whose
 * rows are dumped but come partly from the extension itself), `extension {json}`, `objects N`, `size BYTES`. Which relations have data
 * in a dump: ordinary tables, `from only`, no partition parents, no foreign tables.
 */
export const countSql = countingSql()

// A name that no column has: the row as a whole is meant.
const row = `"infra-actions: the row"`

/**
 * As `countSql`, with a checksum of the content: `checksum` in a table's JSON, `objects-checksum N`. A sum of hashes
 * needs no order; `format`, since a cast to text can be a function of the table's owner, and we are a superuser; the settings that change a row's text are pinned, and 15 and 17 give the same text. Large objects
 * are read a megabyte at a time, for one may be larger than any value can be.
 */
export const checksumSql = `
set extra_float_digits = 3;
set timezone = 'UTC';
set datestyle = 'ISO, MDY';
set intervalstyle = postgres;
set bytea_output = hex;
set lc_monetary = 'C';
select 'objects-checksum ' || coalesce(sum(hashtextextended(format('%s:%s:%s', loid, at, md5(lo_get(loid, at, 1048576))), 0)::numeric), 0)
from (select loid, max(pageno)::bigint * 2048 as last from pg_largeobject group by loid) o, generate_series(0, last, 1048576) at;
${countingSql(`, ''checksum'', (select coalesce(sum(hashtextextended(format(''%%s'', ${row}), 0)::numeric), 0)::text from only %4$I.%5$I ${row})`)}`

function countingSql(more = ""): string {
  return `
select 'size ' || pg_database_size(current_database());
select 'objects ' || count(*) from pg_largeobject_metadata;
select 'extension ' || json_build_object('name', extname, 'version', extversion) from pg_extension order by extname;
select 'member ' || c.oid
from pg_extension e, unnest(e.extconfig) config(oid) join pg_class c on c.oid = config.oid
where c.relkind = 'r' order by c.oid;
select format(
  'select ''table %1$s '' || json_build_object(''schema'', %2$L::text, ''name'', %3$L::text, ''rows'', (select count(*) from only %4$I.%5$I)${more})',
  c.oid, n.nspname, c.relname, n.nspname, c.relname)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'r' and c.relpersistence <> 't' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
order by n.nspname, c.relname
\\gexec
`
}

/** Sessions that hold a lock strong enough to stop a dump. No query text: it may hold data. */
export const blockersSql = `
select distinct format('%s (pid %s, user %s, %s, in a transaction since %s) on %s',
  coalesce(nullif(a.application_name, ''), 'a session without a name'), a.pid, a.usename, a.state, a.xact_start, l.relation::regclass)
from pg_locks l join pg_stat_activity a using (pid)
where l.granted and l.mode = 'AccessExclusiveLock' and l.locktype = 'relation' and a.pid <> pg_backend_pid()
  and l.database = (select oid from pg_database where datname = current_database())
limit 5;
`

/**
 * Tables whose file is shorter than the catalog says it was at the last vacuum or analyze, one JSON string a line. A heap
 * file cut at a page boundary is dumped without any error, with rows missing. Unlogged tables are emptied by a crash.
 */
export const shortTablesSql = `
select to_json(format('%I.%I', n.nspname, c.relname))
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 't', 'm') and c.relpersistence = 'p' and c.relpages > 0
  and pg_relation_size(c.oid) / current_setting('block_size')::int < c.relpages
order by n.nspname, c.relname;
`

/**
 * Foreign keys, one JSON object a line: whether it was ever checked for all rows, and whether one of the first thousand
 * rows points at nothing. Needs no more than a second even on large tables.
 */
export const foreignKeysSql = `
select format(
  'select json_build_object(''table'', %L::text, ''name'', %L::text, ''valid'', %L::boolean, ''broken'', exists (select from (select %s from %I.%I where %s limit 1000) c where not exists (select from %I.%I p where %s)))',
  n.nspname || '.' || t.relname, k.conname, k.convalidated,
  string_agg(format('%I', a.attname), ', ' order by x.position), n.nspname, t.relname,
  string_agg(format('%I is not null', a.attname), ' and ' order by x.position), pn.nspname, p.relname,
  string_agg(format('p.%I = c.%I', pa.attname, a.attname), ' and ' order by x.position))
from pg_constraint k
join pg_class t on t.oid = k.conrelid join pg_namespace n on n.oid = t.relnamespace
join pg_class p on p.oid = k.confrelid join pg_namespace pn on pn.oid = p.relnamespace
cross join lateral unnest(k.conkey, k.confkey) with ordinality x(key, foreign_key, position)
join pg_attribute a on a.attrelid = k.conrelid and a.attnum = x.key
join pg_attribute pa on pa.attrelid = k.confrelid and pa.attnum = x.foreign_key
where k.contype = 'f' and k.conparentid = 0
group by k.oid, k.conname, k.convalidated, n.nspname, t.relname, pn.nspname, p.relname
\\gexec
`

/** Writes and reads a row of a table that is gone when the session ends. */
export const roundTripSql = `
create temporary table infra_actions_round_trip (value text);
insert into infra_actions_round_trip values ('written');
select value from infra_actions_round_trip;
`
