create table appointments (
  id bigint generated always as identity primary key,
  user_id bigint not null references users (id),
  starts_at timestamptz not null,
  note text not null default ''
);
create index on appointments (user_id);
insert into appointments (user_id, starts_at, note)
select id, timestamptz '2030-01-01 08:00Z' + id * interval '30 minutes', 'first visit' from users;
