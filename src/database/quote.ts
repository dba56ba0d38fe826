/** Quotes an identifier with any characters. Throws `RangeError` if it is empty or contains NUL. */
export function quoteIdentifier(name: string): string {
  if (name === '' || name.includes('\0'))
    throw new RangeError(
      `PostgreSQL does not allow the name ${JSON.stringify(name)}: use at least one character, and no NUL`,
    )
  return `"${name.replaceAll('"', '""')}"`
}

/** Quotes a text or null as a literal that does not depend on `standard_conforming_strings`. */
export function quoteLiteral(text: string | number | bigint | boolean | null | undefined): string {
  if (text === null || text === undefined) return 'null'
  const quoted = `'${String(text).replaceAll("'", "''")}'`
  if (quoted.includes('\0')) throw new RangeError('PostgreSQL cannot store NUL in text: remove it first')
  return quoted.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted
}

/** Returns an expression for a list of texts. */
export const quoteTexts = (texts: readonly string[]): string => `array[${texts.map(quoteLiteral).join(', ')}]::text[]`

/** Quotes a table name such as `'billing.customers'`. A name without a schema is in `public`. */
export function quoteTable(name: string): string {
  const { schema, table } = splitTable(name)
  return `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`
}

/** Splits a name into schema and table at its first dot. */
export function splitTable(name: string): { readonly schema: string; readonly table: string } {
  const dot = name.indexOf('.')
  return dot < 0 ? { schema: 'public', table: name } : { schema: name.slice(0, dot), table: name.slice(dot + 1) }
}
