create table users (
  id bigint generated always as identity primary key,
  name text not null,
  email text not null unique,
  created_at timestamptz not null default now()
);
insert into users (name, email) select 'Patient ' || n, 'patient' || n || '@example.org' from generate_series(1, 50) n;
