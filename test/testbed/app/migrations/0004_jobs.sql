create table jobs_done (
  id bigint generated always as identity primary key,
  job text not null,
  done_at timestamptz not null default now()
);
