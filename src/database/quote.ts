/** An identifier as SQL writes it, whatever it holds. */
export function quoteIdentifier(name: string): string {
  if (name === '' || name.includes('\0'))
    throw new RangeError(
      `PostgreSQL has no name ${JSON.stringify(name)}: give one of at least one character, without NUL`,
    )
  return `"${name.replaceAll('"', '""')}"`
}

/** A text, or NULL, as a literal that means the same whatever `standard_conforming_strings` says. */
export function quoteLiteral(text: string | number | bigint | boolean | null | undefined): string {
  if (text === null || text === undefined) return 'null'
  const quoted = `'${String(text).replaceAll("'", "''")}'`
  if (quoted.includes('\0')) throw new RangeError('PostgreSQL stores no NUL in text: take it out first')
  return quoted.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted
}

/** `'billing.customers'` as SQL writes it; a name without a schema lies in `public`. */
export function quoteTable(name: string): string {
  const { schema, table } = splitTable(name)
  return `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`
}

/** Schema and table of a name; only the first dot divides them. */
export function splitTable(name: string): { readonly schema: string; readonly table: string } {
  const dot = name.indexOf('.')
  return dot < 0 ? { schema: 'public', table: name } : { schema: name.slice(0, dot), table: name.slice(dot + 1) }
}
