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
  'lastReplayed', to_char(pg_last_xact_replay_timestamp() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
  'upToDate', not pg_is_in_recovery() or (
    exists (select from pg_stat_wal_receiver where status = 'streaming')
    and coalesce(pg_last_wal_replay_lsn() >= pg_last_wal_receive_lsn(), false)),
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
 * Sets the search path that the database has by its settings, behind the system's own: functions that indexes call may need
 * it as soon as a table is read. Prints nothing.
 */
const ownPathSql = `select pg_catalog.set_config('search_path', concat_ws(', ', 'pg_catalog', coalesce(
  (select substr(setting, 13) from pg_db_role_setting, unnest(setconfig) setting where setrole = 0 and starts_with(setting, 'search_path=')
    and setdatabase = (select oid from pg_database where datname = current_database())), '"$user", public')), false) as path \\gset`

// A name that no column has: the row as a whole is meant.
const row = `"infra-actions: the row"`

// `pg_dump` loads partitions by the hash of an enum through their table, for an enum's values hash differently everywhere.
const spreadSql = `select format('%s.%s', pn.nspname, p.relname) as place
  from pg_partition_ancestors(c.oid) with ordinality a(relid, at) join pg_class p on p.oid = a.relid
  join pg_namespace pn on pn.oid = p.relnamespace join pg_partitioned_table t on t.partrelid = p.oid
  where t.partstrat = 'h' and exists (select from pg_opclass o where o.oid = any (t.partclass) and o.opcname = 'enum_ops')
  order by at desc limit 1`

/**
 * Counts a database exactly, one line for each thing: `table OID {json}`, `member OID` (a table of an extension whose
 * rows are dumped but come partly from the extension itself), `apart {json}` (one whose rows no dump holds), `extension {json}`,
 * `objects N`, `size BYTES`. Which relations have data in a dump: ordinary tables, `from only`, no partition parents, no
 * foreign tables. In the transaction of `:snapshot`, where psql has that, a new one is begun after some tables: each keeps the
 * locks of what it has read, and a server has room for few thousands.
 */
export const countSql = countingSql()

/**
 * As `countSql`, with a checksum of the content: `checksum` in a table's JSON, `objects-checksum N`. A sum of hashes
 * needs no order; `format`, since a cast to text can be a function of the table's owner, and we are a superuser; the settings that change a row's text are pinned, and 15 and 17 give the same text. Large objects
 * are read a megabyte at a time, for one may be larger than any value can be. Generated columns are left out: a restore
 * makes them anew.
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
${countingSql(`, ''checksum'', (select coalesce(sum(hashtextextended(format(''%%s'', row(%7$s)), 0)::numeric), 0)::text from only %4$I.%5$I ${row})`)}`

function countingSql(more = ""): string {
  const members = `select unnest(extconfig) from pg_extension`
  const ofExtension = `d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e'`
  return `
\\if :{?snapshot}
\\else
\\set snapshot ''
\\endif
${ownPathSql}
-- An index may be short of what its table holds.
set enable_indexscan = off; set enable_indexonlyscan = off; set enable_bitmapscan = off;
select 'size ' || pg_database_size(current_database());
select 'objects ' || count(*) from pg_largeobject_metadata;
select 'extension ' || json_build_object('name', extname, 'version', extversion) from pg_extension order by extname;
select 'member ' || c.oid from pg_class c where c.relkind = 'r' and c.oid in (${members}) order by c.oid;
select format('select ''apart '' || to_json(%L::text) where exists (select from only %I.%I)',
  format('%I.%I of %I', n.nspname, c.relname, e.extname), n.nspname, c.relname)
from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_depend d on ${ofExtension} join pg_extension e on e.oid = d.refobjid
where c.relkind = 'r' and c.oid not in (${members})
order by n.nspname, c.relname
\\gexec
select format(
  'select ''table %1$s '' || json_build_object(''schema'', %2$L::text, ''name'', %3$L::text%6$s, ''rows'', (select count(*) from only %4$I.%5$I)${more})',
  c.oid, c.nspname, c.relname, c.nspname, c.relname, case when place is not null then format(', ''spread'', %L::text', place) end, list),
  case when fresh then 'commit' end,
  case when fresh then 'begin isolation level repeatable read read only' end,
  case when fresh then format('set transaction snapshot %L', :'snapshot') end
from (
  select c.oid, n.nspname, c.relname, :'snapshot' <> '' and row_number() over (order by n.nspname, c.relname) % 100 = 0 as fresh
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind = 'r' and c.relpersistence <> 't' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    and not exists (select from pg_depend d where ${ofExtension})
) c
left join lateral (${spreadSql}) spread on true
cross join lateral (
  select string_agg(format('${row}.%I', attname), ', ' order by attnum) as list
  from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped and attgenerated = ''
) columns
order by c.nspname, c.relname
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
${ownPathSql}
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
-- Whoever guards or records what is done to tables is not meant.
set session_replication_role = replica;
create temporary table infra_actions_round_trip (value text);
insert into infra_actions_round_trip values ('written');
select value from infra_actions_round_trip;
`
