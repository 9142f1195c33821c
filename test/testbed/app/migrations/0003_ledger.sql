create table ledger (
  id bigint primary key,
  payload text not null,
  checksum text not null
);
