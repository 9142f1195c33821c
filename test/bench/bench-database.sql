-- Mixed data, about :gb GB: text and JSON with indexes, bytes that no packer makes smaller, numbers, many small tables.
set synchronous_commit = off;
create table notes (id int primary key, patient int not null, written timestamptz not null, body text not null, form jsonb not null);
insert into notes
select n, n % 50000, timestamptz '2020-01-01' + n * interval '1 minute',
  (select string_agg((array['the','patient','reports','pain','left','right','since','three','days','no','fever','blood','pressure','normal','follow','up','in','weeks','prescribed','again'])[1 + (hashint4(n * 31 + w) & 2147483647) % 20], ' ') from generate_series(1, 60) w),
  jsonb_build_object('id', n, 'mood', (array['calm','tense','tired'])[1 + n % 3], 'values', jsonb_build_array(n % 7, n % 11, n % 13), 'doctor', 'd' || n % 300)
from generate_series(1, (:gb * 750000)::int) n;
create index on notes (patient); create index on notes (written); create index on notes using gin (form jsonb_path_ops);
create table scans (id int primary key, content bytea not null);
alter table scans alter content set storage external;
insert into scans select n, (select string_agg(sha512((n || ':' || w)::bytea), '') from generate_series(1, 128) w) from generate_series(1, (:gb * 36000)::int) n;
create table measures (id uuid not null, patient int, at timestamptz, value float8, hash text);
insert into measures select gen_random_uuid(), n % 50000, timestamptz '2021-01-01' + n * interval '1 second', sqrt(n) * 1.1, md5(n::text)
from generate_series(1, (:gb * 2100000)::int) n;
select format('create table small_%s as select g as id, md5(g::text) as v from generate_series(1, 100) g', n) from generate_series(1, 400) n
\gexec
analyze;
