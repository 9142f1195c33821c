import { identifier, literal } from "./identifiers.ts"

/** The comment of a role while what it was made for is restored: one that still has it is what a killed restore left. */
export const restoringRole = "infra-actions: restoring"

/** Statements that make roles without login, marked. */
export function makeRolesSql(roles: readonly string[]): readonly string[] {
  return roles.flatMap((role) => [
    `create role ${identifier(role)} nologin`,
    `comment on role ${identifier(role)} is ${literal(restoringRole)}`,
  ])
}

/** SQL by which all that are marked are there to stay. */
export const keepRolesSql = forEachMarked("execute format('comment on role %I is null', marked);")

/** SQL that locks all that are marked out, and drops them but for those that own or may do something. */
export const dropRolesSql = forEachMarked(`execute format('alter role %I nologin password null', marked);
  begin execute format('drop role %I', marked);
  exception when dependent_objects_still_exist then execute format('comment on role %I is null', marked); end;`)

function forEachMarked(statements: string): string {
  return `do $$ declare marked name; begin
for marked in select rolname from pg_roles where shobj_description(oid, 'pg_authid') = ${literal(restoringRole)} loop
  ${statements}
end loop; end $$;`
}
