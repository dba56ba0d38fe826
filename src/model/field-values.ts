/** Of some sampled records: how many had a value in a field, and how many were sampled. */
export type Sample = readonly [values: number, sampled: number]

/** Samples by field. A field is absent if no record had a value in it. */
export type Samples = ReadonlyMap<string, Sample>

/** What a part of a reading shows of its fields. */
export interface FieldValues {
  readonly rows: number
  readonly samples: Samples
}

export const NO_FIELD_VALUES: FieldValues = Object.freeze({ rows: 0, samples: new Map() })

/** What the readings of a stream have shown of its fields so far. Kept with the last slice of the stream. */
export interface KnownFields {
  /** Of full readings and of incremental ones: old records are often filled in other fields than new ones. */
  readonly full: Samples
  readonly part: Samples
  /** Fields that had values in earlier readings and have none any more. */
  readonly lost: readonly string[]
  /** What made the cursor of the last reading. Absent in ledgers of older versions. */
  readonly origin?: CursorOrigin
}

/** What a stored cursor depends on, so that a later definition can be compared with it. */
// A type, because it becomes JSON of the ledger.
export type CursorOrigin = {
  /** The field of the cursor; absent if it is found by a function, or if the API keeps it. */
  readonly field?: string
  /** Hash of where the cursor is found, its unit and its form. */
  readonly cursor: string
  /** Hash of what is asked for: the request, the place of its records, and the children. */
  readonly request: string
  /** The request was another one in the reading before: one with today's date in it changes with each run. */
  readonly varies?: true
}

export const NO_KNOWN_FIELDS: KnownFields = Object.freeze({ full: new Map(), part: new Map(), lost: [] })

/** Returns several parts of one reading as one. */
export function addFieldValues(...parts: readonly FieldValues[]): FieldValues {
  const sum = new Map<string, Sample>()
  for (const { samples } of parts)
    for (const [field, [values, sampled]] of samples) {
      const [before, of] = sum.get(field) ?? [0, 0]
      sum.set(field, [before + values, of + sampled])
    }
  return { rows: parts.reduce((rows, part) => rows + part.rows, 0), samples: sum }
}

/** A reading with fewer rows shows nothing. */
const MIN_ROWS = 20
/** So many values are to be expected in the rows of a reading. If none comes by chance, that is 1 in 1,000. */
const MIN_EXPECTED = 7

export interface CompareOptions {
  readonly isFull: boolean
  /** The fields that the table loads. */
  readonly loaded: ReadonlySet<string>
}

/** Compares a reading with those before it. A field is lost if values were to be expected in it and none came. */
export function compareFields(
  { rows, samples }: FieldValues,
  known: KnownFields,
  { isFull, loaded }: CompareOptions,
): KnownFields {
  const [alike, other] = isFull ? [known.full, known.part] : [known.part, known.full]
  const isLost = (field: string): boolean => {
    if (samples.has(field) || !loaded.has(field)) return false
    const [values, sampled] = alike.get(field) ?? filledIn(other.get(field))
    return known.lost.includes(field) || (rows > MIN_ROWS && (values / sampled) * rows > MIN_EXPECTED)
  }
  const lost = [...new Set([...known.lost, ...alike.keys(), ...other.keys()])].filter(isLost)
  const after = new Map([...alike, ...samples])
  return isFull ? { ...known, full: after, lost } : { ...known, part: after, lost }
}

/** Full readings say something about incremental ones, and the reverse, only if each record has a value. */
const filledIn = (sample: Sample = [0, 1]): Sample =>
  sample[0] === sample[1] && sample[1] >= MIN_ROWS ? sample : [0, 1]
