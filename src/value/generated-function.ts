// Two places write functions as source text, because straight code without loops and lookups runs several times faster:
// the row encoder of load/ and the field stages of transform/. Names of fields come from APIs, so they enter the source
// only as string literals; values of records never do.

/** Returns a JavaScript string literal: JSON text is one. */
export const literal = (text: string): string => JSON.stringify(text)

/** Returns the expression that reads a field of a record. */
export const fieldOf = (record: string, field: string): string => `${record}[${literal(field)}]`

/** Compiles a function. Its type is known only to the caller, which wrote the body. */
export const compileFunction = (parameters: readonly string[], body: string): unknown =>
  // oxlint-disable-next-line typescript/no-implied-eval -- The only names in it are string literals, see above.
  new Function(...parameters, body)
