// What the API of the deletions knows on two days, and what the tables must hold after each of them.

/** A record with a list that has lists. On the second day a list and a field are there that the first one has not. */
export interface Order {
  readonly id: number
  readonly at?: string
  readonly name?: string
  readonly note?: string
  readonly gone?: true
  readonly lines?: readonly Line[]
  readonly tags?: readonly string[]
}

interface Line {
  readonly line: number
  readonly text: string
  readonly parts: readonly { readonly part: number; readonly size: string }[]
}

/** Records that are announced as deleted, or that are missing on the second day. */
export type Kind = 'announced' | 'missing'
export type Day = 1 | 2

/** The streams of each kind, which are read one after the other. Each writes to the table of its name. */
export const STREAMS = {
  announced: ['dropped', 'marked', 'versions'],
  missing: ['dropped', 'marked', 'versions'],
} as const satisfies Record<Kind, readonly string[]>

/** Records on a page: each page is a batch. */
export const PAGE = { announced: 4, missing: 2 } as const satisfies Record<Kind, number>

const JANUARY = (day: number): string => `2024-01-0${day}T00:00:00Z`
const FEBRUARY = '2024-02-01T00:00:00Z'

const first = (id: number): Order => ({
  id,
  at: JANUARY(id),
  name: `order ${id}`,
  lines: [
    {
      line: 1,
      text: `first of ${id}`,
      parts: [
        { part: 1, size: 'small' },
        { part: 2, size: 'large' },
      ],
    },
    { line: 2, text: `second of ${id}`, parts: [{ part: 1, size: 'small' }] },
  ],
})

const FIRST: readonly Order[] = [1, 2, 3, 4, 5, 6].map(first)

/**
 * Of six records the second one is deleted at a time that the API tells, and the fourth one at one that it does not.
 * The ninth was never there.
 */
const SECOND: readonly Order[] = [
  {
    id: 1,
    at: FEBRUARY,
    name: 'order 1, changed',
    lines: [{ line: 1, text: 'first of 1, changed', parts: [{ part: 2, size: 'huge' }] }],
  },
  { id: 2, at: FEBRUARY, gone: true },
  first(3),
  { id: 4, gone: true },
  { ...first(5), at: FEBRUARY, note: 'new field', tags: ['x', 'y'] },
  { id: 6, at: FEBRUARY, gone: true },
  { ...first(7), at: FEBRUARY, tags: ['z'] },
  { id: 9, at: FEBRUARY, gone: true },
]

/** Records that are not there on the second day. */
const GONE = new Set(SECOND.filter(({ gone }) => gone === true).map(({ id }) => id))

/** Returns the list that the API serves. */
export function listOf(kind: Kind, day: Day): readonly Order[] {
  if (day === 1) return FIRST
  return kind === 'announced' ? SECOND : SECOND.filter(({ gone }) => gone !== true)
}

/** Rows of a table as JSON, without nulls. */
export type Rows = readonly Readonly<Record<string, unknown>>[]

/** Returns what is wrong with the tables of a stream after the second day; undefined if they are as in the source. */
export function unlikeSource(kind: Kind, stream: string, tables: Readonly<Record<string, Rows>>): string | undefined {
  if (stream === 'versions') return difference({ versions: versionsOf(kind) }, seenVersions(tables))
  return difference(expectedOf(stream === 'dropped' ? [] : FIRST), seenIn(stream, tables))
}

/**
 * The same after `undelete`: rows that were deleted are there as on the first day, with their lists. Versions that a
 * mirror has ended begin again where they ended; those that the API has announced as ended stay so.
 */
export function unlikeUndeleted(
  kind: Kind,
  stream: string,
  tables: Readonly<Record<string, Rows>>,
): string | undefined {
  if (stream === 'marked' || (stream === 'versions' && kind === 'announced')) return unlikeSource(kind, stream, tables)
  if (stream === 'dropped') return difference(expectedOf(FIRST, ''), seenIn(stream, tables))
  const again = FIRST.filter(({ id }) => GONE.has(id)).map(({ id, name }) => `${id} ${name} from lately to now`)
  return difference({ versions: [...versionsOf(kind), ...again] }, seenVersions(tables))
}

type Summary = Readonly<Record<string, readonly string[]>>

/** What is there on the second day, and those of other records that stay. */
function expectedOf(staying: readonly Order[], mark = ' deleted'): Summary {
  const there = SECOND.filter(({ gone }) => gone !== true)
  const gone = staying.filter(({ id }) => !there.some((order) => order.id === id))
  const rows = (order: Order, end: string): string => `${order.id} ${order.name} ${order.note ?? ''}${end}`
  const all = [...there, ...gone]
  return {
    rows: [...there.map((order) => rows(order, '')), ...gone.map((order) => rows(order, mark))],
    lines: all.flatMap(({ id, lines = [] }) => lines.map(({ line, text }) => `${id}.${line} ${text}`)),
    parts: all.flatMap(({ id, lines = [] }) =>
      lines.flatMap(({ line, parts }) => parts.map(({ part, size }) => `${id}.${line}.${part} ${size}`)),
    ),
    tags: all.flatMap(({ id, tags = [] }) => tags.map((tag, index) => `${id}.${index} ${tag}`)),
  }
}

function seenIn(stream: string, tables: Readonly<Record<string, Rows>>): Summary {
  const of = (end: string): Rows => tables[`${stream}${end}`] ?? []
  const id = `${stream}_id`
  return {
    rows: of('').map(
      (row) => `${text(row['id'])} ${text(row['name'])} ${text(row['note'])}${'_deleted_at' in row ? ' deleted' : ''}`,
    ),
    lines: of('_lines').map((row) => `${text(row[id])}.${text(row['line'])} ${text(row['text'])}`),
    parts: of('_lines_parts').map(
      (row) => `${text(row[id])}.${text(row['lines_line'])}.${text(row['part'])} ${text(row['size'])}`,
    ),
    tags: of('_tags').map((row) => `${text(row[id])}.${text(row['_index'])} ${text(row['value'])}`),
  }
}

/** Every version that the API has told, and when it was over. Of a record that is missing nobody knows when. */
function versionsOf(kind: Kind): string[] {
  const announced = new Map(SECOND.map(({ id, at = 'lately' }) => [id, at]))
  const endOf = (id: number): string => {
    if (GONE.has(id)) return kind === 'missing' ? 'lately' : (announced.get(id) ?? '')
    return id === 3 ? 'now' : FEBRUARY
  }
  return [
    ...FIRST.map(({ id, at, name }) => `${id} ${name} from ${at} to ${endOf(id)}`),
    ...SECOND.filter(({ id, gone }) => gone !== true && id !== 3).map(
      ({ id, at, name }) => `${id} ${name} from ${at} to now`,
    ),
  ]
}

const seenVersions = ({ versions = [] }: Readonly<Record<string, Rows>>): Summary => ({
  versions: versions.map(version),
})
const version = (row: Rows[number]): string =>
  `${text(row['id'])} ${text(row['name'])} from ${moment(row['_valid_from'])} to ${moment(row['_valid_to'] ?? 'now')}`
const moment = (value: unknown): string => text(value).replace('+00:00', 'Z')
const text = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? `${value}` : '')

function difference(expected: Summary, seen: Summary): string | undefined {
  for (const [what, rows] of Object.entries(expected)) {
    const [wanted, found] = [rows.toSorted().join('; '), (seen[what] ?? []).toSorted().join('; ')]
    if (wanted !== found) return `${what} are ${found}, and the source has ${wanted}`
  }
  return undefined
}
