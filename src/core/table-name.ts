/** The table that `critical-tables` names, with its schema, which is `public` unless told. */
export function qualifiedTable(table: string): string {
  return table.includes(".") ? table : `public.${table}`
}
