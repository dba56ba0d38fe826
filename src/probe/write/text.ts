// Pieces of TypeScript: quoted texts, names, calls.

/** Characters of a line. */
export const LINE = 120

/** Returns a text in single quotes. */
export function quoted(text: string): string {
  const escaped = JSON.stringify(text)
    .slice(1, -1)
    .replaceAll(String.raw`\"`, '"')
    .replaceAll("'", String.raw`\'`)
  // A text with single quotes only is easier to read in double ones.
  return text.includes("'") && !text.includes('"') ? JSON.stringify(text) : `'${escaped}'`
}

/** Returns the name of a member, quoted where it must be. */
export const memberName = (name: string): string => (isName(name) ? name : quoted(name))

export const isName = (text: string): boolean => /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u.test(text)

/** Returns the access to a member, such as `order.id` or `order['the id']`. */
export const memberOf = (value: string, name: string): string =>
  isName(name) ? `${value}.${name}` : `${value}[${quoted(name)}]`

/** Returns an object literal. Members that are undefined are left out. */
export function objectLiteral(members: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(members).filter((entry): entry is [string, string] => entry[1] !== undefined)
  if (given.length === 0) return '{}'
  const texts = given.map(([name, value]) => (name === value ? name : `${memberName(name)}: ${value}`))
  return `{ ${texts.join(', ')} }`
}

/** Returns a call, without the arguments at its end that are `{}` or undefined. */
export function call(name: string, ...values: readonly (string | undefined)[]): string {
  const last = values.findLastIndex((value) => value !== undefined && value !== '{}')
  return `${name}(${values
    .slice(0, last + 1)
    .map((value) => value ?? '{}')
    .join(', ')})`
}

/** Returns text as lines of a comment, at most `LINE` characters long. */
export function commentLines(text: string, begin: string): string[] {
  const lines: string[] = []
  let line = begin
  for (const word of text.replaceAll('*/', '* /').split(/\s+/)) {
    if (line !== begin && line.length + 1 + word.length > LINE) {
      lines.push(line)
      line = begin
    }
    line += ` ${word}`
  }
  return [...lines, line]
}
