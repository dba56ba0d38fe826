import { randomUUID } from 'node:crypto'

/**
 * Bytes of a part. A string of this length fits V8's young generation; for a longer one the system maps new pages, and
 * each of them costs a page fault.
 */
const PART = 49_152
/** The first element of the rest of the list, which identifies that list in the parsed rest. */
const MARK = randomUUID()
const [OPEN, COMMA, CLOSE] = [...Buffer.from('[,]')] as [number, number, number]

/**
 * Parses a large body with the same result as in one call, but 48 KiB of its first list of objects at a time. That
 * saves 1 µs for a record of 500 bytes. Returns undefined if the body cannot be divided.
 *
 * The body is cut where one object seems to end and the next to begin. Such bytes can also occur in a deeper list. But
 * each part begins where the previous one ended, so a wrong cut is not valid JSON once the list is closed, and then the
 * caller parses the body as a whole. The brackets of a part overwrite the commas around it, which are restored after.
 */
export function parseInParts(body: Buffer, parse: (bytes: Buffer) => unknown): unknown {
  const start = body.subarray(0, PART).indexOf('[{') + 1
  if (start === 0 || body.length - start < 2 * PART) return undefined
  const head = body.subarray(0, start)
  try {
    const path = pathInto(head.toString())
    const between = Buffer.concat([Buffer.from('},'), firstName(body.subarray(start, start + 128))])
    const lists: unknown[][] = []
    let from = start
    for (let cut = body.indexOf(between, from + PART); cut >= 0; cut = body.indexOf(between, from + PART)) {
      lists.push(asList(body, from, cut + 1, parse))
      from = cut + 2
    }
    const holder = [parse(Buffer.concat([head, Buffer.from(`"${MARK}",`), body.subarray(from)]))] as const
    return insertParts(holder, [0, ...path], lists) ? holder[0] : undefined
  } catch (error) {
    if (Error.isError(error) && error.name === 'SyntaxError') return undefined
    throw error
  }
}

/** Parses the objects between two offsets as a list. The bytes beside them are a bracket or a comma. */
function asList(body: Buffer, from: number, to: number, parse: (bytes: Buffer) => unknown): unknown[] {
  // oxlint-disable-next-line typescript/no-non-null-assertion -- The list's bracket or a comma stands there.
  const before = body[from - 1]!
  body[from - 1] = OPEN
  body[to] = CLOSE
  try {
    return parse(body.subarray(from - 1, to + 1)) as unknown[]
  } finally {
    body[from - 1] = before
    body[to] = COMMA
  }
}

/** Returns the member names that lead to the list that the head opens. */
function pathInto(head: string): string[] {
  const open = head.split('{').length - head.split('}').length
  let value: unknown = JSON.parse(`${head}]${'}'.repeat(Math.max(0, open))}`)
  const path: string[] = []
  while (!Array.isArray(value)) {
    const name = Object.keys(value as object).at(-1) ?? ''
    path.push(name)
    value = (value as Readonly<Record<string, unknown>>)[name]
    if (typeof value !== 'object' || value === null) throw new SyntaxError('the head does not end in a list')
  }
  return path
}

/** Returns the begin of the first object, as `{"id":`. Objects in deeper lists mostly begin with another name. */
function firstName(record: Buffer): Buffer {
  const colon = record.indexOf(':')
  return record.subarray(0, colon < 0 ? 1 : colon + 1)
}

/** Inserts the parts before the rest of their list. Returns false if another list is at that path. */
function insertParts(
  holder: readonly [unknown],
  path: readonly (string | number)[],
  lists: readonly unknown[][],
): boolean {
  // oxlint-disable-next-line typescript/no-non-null-assertion -- It has at least the index in `holder`.
  const last = path.at(-1)!
  let parent = holder as unknown as Record<string | number, unknown>
  for (const name of path.slice(0, -1)) {
    parent = parent[name] as typeof parent
    if (typeof parent !== 'object' || parent === null) return false
  }
  const rest = parent[last]
  if (!Array.isArray(rest) || rest[0] !== MARK) return false
  parent[last] = ([] as unknown[]).concat(...lists, rest.slice(1))
  return true
}
