-- Everything that a PostgreSQL database can hold and a backup has to bring back. Run as a superuser on an empty database.
create role conf_owner nologin;
create role conf_app login password 'pa''ss' connection limit 5 valid until '2099-01-01';
create role "conf ""odd"" $role$ ü" nologin createdb;
create role conf_group nologin noinherit;
grant conf_group to conf_app with admin option;
grant conf_owner to "conf ""odd"" $role$ ü";
grant pg_read_all_stats to conf_group;
alter role conf_app set statement_timeout = '7s';
alter role conf_app in database app set search_path = 'clinic', 'public';
alter role "conf ""odd"" $role$ ü" set application_name = 'it''s "odd"';
comment on role conf_group is 'a group; with a semicolon';

alter database app set work_mem = '7MB';
alter database app set search_path = '$user', 'clinic', 'public';
comment on database app is 'the clinic''s; data';
revoke connect on database app from public;
grant connect, temporary on database app to conf_app with grant option;
alter database app connection limit 42;

create extension pgcrypto;
create schema extensions;
create extension hstore schema extensions;
create extension pg_trgm schema extensions;
create extension citext;
comment on extension citext is 'another comment';

create schema clinic authorization conf_owner;
grant usage on schema clinic to conf_app;
alter default privileges for role conf_owner in schema clinic grant select on tables to conf_app;
alter default privileges for role conf_owner revoke execute on functions from public;
set role conf_owner;
create type clinic.mood as enum ('well', 'so so', 'it''s ill');
create domain clinic.dose as numeric(8, 3) constraint positive check (value > 0) default 1.5;
create type clinic.address as (street text, zip varchar(10));
create type clinic.span as range (subtype = float8);
create collation clinic.german (provider = icu, locale = 'de-u-kn');
create collation clinic.blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
create sequence clinic.cases as smallint increment by -3 minvalue -3000 maxvalue 3000 start 30 cycle;
select nextval('clinic.cases'), nextval('clinic.cases');
create table clinic.patients (
  id bigint generated always as identity (start 1000 increment 10) primary key,
  code serial unique,
  name text collate clinic.german not null,
  handle text collate clinic.blind,
  mood clinic.mood default 'well',
  dose clinic.dose,
  home clinic.address,
  times clinic.span,
  doc jsonb,
  tags text[] default array['a', 'b,"c'],
  photo bytea,
  ratio float8, small float4,
  period interval, price money, mask bit varying(10), net inet, place point,
  born date, seen timestamptz,
  vector tsvector generated always as (to_tsvector('english', name)) stored,
  twice numeric generated always as (dose * 2) stored,
  note text compression pglz
);
alter table clinic.patients alter column photo set storage external;
insert into clinic.patients (name, handle, mood, dose, home, times, doc, photo, ratio, small, period, price, mask, net, place, born, seen)
select 'Patient ' || g, 'H' || g, (array['well', 'so so', 'it''s ill']::clinic.mood[])[g % 3 + 1], g + 0.125,
  row('Street "' || g || '"\', g::text)::clinic.address, clinic.span(g, g + 0.1), jsonb_build_object('k', g, 'n', null, 'u', E'\u00e9\n\t\\'),
  decode(md5(g::text), 'hex'), g / 3.0, g / 7.0, make_interval(days => g, secs => g / 3.0), g * 1.01, (g % 8)::bit(5), '10.0.0.1', point(g, g / 3.0),
  date '1900-01-01' + g, timestamptz '2020-01-01 00:00:00.123456+02' + g * interval '1 hour'
from generate_series(1, 500) g;
insert into clinic.patients (name, ratio, seen, doc) values (E'\\.', 'NaN', 'infinity', '"\\u0007"'), (E'a\tb\nc\rd\\N', '-Infinity', '-infinity', 'null'), ('', '-0', null, null);
create table clinic.visits (
  patient bigint not null references clinic.patients on delete cascade deferrable initially deferred,
  at timestamptz not null, room int
) partition by range (at);
create table clinic.visits_2024 partition of clinic.visits for values from ('2024-01-01') to ('2025-01-01') partition by hash (patient);
create table clinic.visits_2024_0 partition of clinic.visits_2024 for values with (modulus 2, remainder 0);
create table clinic.visits_2024_1 partition of clinic.visits_2024 for values with (modulus 2, remainder 1);
create table clinic.visits_rest partition of clinic.visits default;
create index visits_room on clinic.visits (room) where room > 3;
insert into clinic.visits select 1000 + 10 * (g % 500), timestamptz '2024-01-01' + g * interval '12 hours', g % 9 from generate_series(1, 1000) g;
create table clinic.bookings (room int, during tsrange, exclude using gist (during with &&));
insert into clinic.bookings select g, tsrange(timestamp '2024-01-01' + g * interval '1 day', timestamp '2024-01-01' + (g + 1) * interval '1 day') from generate_series(1, 50) g;
create table clinic.animals (id int primary key, name text);
create table clinic.dogs (breed text) inherits (clinic.animals);
insert into clinic.animals values (1, 'cat');
insert into clinic.dogs values (2, 'rex', 'terrier');
create unlogged table clinic.fleeting (i int);
insert into clinic.fleeting select generate_series(1, 7);
create table clinic.no_columns ();
insert into clinic.no_columns default values;
create table clinic.wide as select g as id, repeat(md5(g::text), 300) as big from generate_series(1, 40) g;
alter table clinic.wide drop column id, add column added int not null default 5;
create statistics clinic.patient_stats (dependencies, ndistinct) on mood, dose from clinic.patients;
create index patients_doc on clinic.patients using gin (doc jsonb_path_ops);
create index patients_lower on clinic.patients (lower(name) desc nulls last) include (mood) with (fillfactor = 70);
alter table clinic.patients alter column name set statistics 500;
alter table clinic.patients set (autovacuum_enabled = false);
alter table clinic.patients cluster on patients_pkey;
comment on table clinic.patients is E'patients;\n''quoted''';
comment on column clinic.patients.name is 'who';
create table clinic.unvalidated (patient bigint);
insert into clinic.unvalidated values (-1);
alter table clinic.unvalidated add constraint never_checked check (patient > 0) not valid;

create table clinic.guarded (tenant text, v int);
insert into clinic.guarded values ('conf_owner', 1), ('b', 2), ('b', 3);
alter table clinic.guarded enable row level security, force row level security;
create policy own_rows on clinic.guarded as permissive for select to public using (tenant = current_user);
create policy narrow on clinic.guarded as restrictive for all to conf_app using (v < 3) with check (v < 2);
create materialized view clinic.guarded_view as select tenant, v from clinic.guarded;
create unique index on clinic.guarded_view (v);
create materialized view clinic.summary as select mood, count(*) as n, sum(dose) as doses from clinic.patients group by mood;
create materialized view clinic.summary_of_summary as select max(n) as most from clinic.summary;
create materialized view clinic.not_filled as select 1 as one with no data;
create view clinic.names with (security_barrier = true) as select id, name from clinic.patients where name <> '' with local check option;
create recursive view clinic.countdown (n) as values (3) union all select n - 1 from countdown where n > 1;
create rule no_delete as on delete to clinic.names do instead nothing;

create function clinic.touch() returns trigger language plpgsql security definer set search_path = clinic as $body$
begin new.seen := coalesce(new.seen, 'epoch'); return new; end $body$;
create trigger touch before insert or update of name on clinic.patients for each row when (new.name <> 'x') execute function clinic.touch();
alter table clinic.patients disable trigger touch;
create trigger visits_after after insert on clinic.visits for each statement execute function clinic.touch();
alter table clinic.visits disable trigger visits_after;
create procedure clinic.nothing(inout i int default 3) language sql as 'select i + 1';
create function clinic.odd("argu ment" text default 'a''b;c', variadic rest int[] default '{}') returns table (r int) stable parallel safe cost 3 language sql
  begin atomic select 1; end;
create aggregate clinic.longest(text) (sfunc = textcat, stype = text, initcond = '');
create operator clinic.=~= (leftarg = text, rightarg = text, function = texteq);
grant insert (name, mood), update (dose) on clinic.patients to conf_app with grant option;
grant usage on sequence clinic.cases to conf_group;
reset role;

create schema "we ird";
create table "we ird"."ta'b\""l%s e$x$" (id serial primary key, "co lumn" text default '$$', "üñï €" int);
insert into "we ird"."ta'b\""l%s e$x$" ("co lumn") select repeat('x', g % 100) from generate_series(1, 300) g;
create table "we ird"."line
break" (i int);
insert into "we ird"."line
break" values (1), (2);
alter table "we ird"."line
break" owner to "conf ""odd"" $role$ ü";
create table "we ird"."\! touch /tmp/meta" (";--" int check (";--" > 0));
select setval(pg_get_serial_sequence('"we ird"."ta''b\""l%s e$x$"', 'id'), 777, false);

select lo_from_bytea(100001, 'large object one'), lo_from_bytea(100002, decode(repeat('00ff', 3000), 'hex'));
comment on large object 100001 is 'an image';
grant select on large object 100002 to conf_app;
alter large object 100002 owner to conf_owner;

create publication pub_all for all tables with (publish = 'insert, update');
create publication pub_some for table clinic.patients (id, name) where (id > 5);
create publication pub_schema for tables in schema "we ird";
create subscription sub_idle connection 'host=db.invalid dbname=x password=planted-secret' publication elsewhere
  with (connect = false, slot_name = 'sub_idle_slot', binary = true);
comment on subscription sub_idle is 'waits';
create foreign data wrapper nothing_wrapper;
create server far foreign data wrapper nothing_wrapper options (host 'far''away');
create user mapping for conf_app server far options (password 'map;ping');
create foreign table clinic.remote (i int) server far options (t 'x');
create text search dictionary clinic.plain (template = simple, stopwords = 'english');
create text search configuration clinic.search (copy = english);
create cast (clinic.address as text) with inout as assignment;
create function clinic.forbid() returns event_trigger language plpgsql as $$
begin
  if tg_tag in ('CREATE TABLE', 'REFRESH MATERIALIZED VIEW', 'CREATE SUBSCRIPTION', 'COMMENT') and current_setting('clinic.locked', true) is distinct from 'no' then
    raise exception 'no % here', tg_tag;
  end if;
end $$;
set clinic.locked = 'no';
create event trigger forbid on ddl_command_start execute function clinic.forbid();
create event trigger quiet on sql_drop when tag in ('DROP TABLE') execute function clinic.forbid();
alter event trigger quiet disable;
comment on event trigger forbid is 'nobody changes this';
