import { readFieldValues } from '../../ledger/slices/field-values.ts'
import {
  addFieldValues,
  compareFields,
  NO_FIELD_VALUES,
  NO_KNOWN_FIELDS,
  type CompareOptions,
  type CursorOrigin,
  type FieldValues,
  type KnownFields,
} from '../../model/field-values.ts'
import { cursorOrigin } from '../../read/definition-hash.ts'
import type { SliceContext } from './slice-context.ts'

/** Opens the watch over the fields of a slice; undefined for slices that read only a part of a stream by intention. */
export async function openFieldWatch({ stream, slice }: SliceContext): Promise<FieldWatch | undefined> {
  if (slice.kind !== 'sync') return undefined
  const { own, known } = await readFieldValues(stream.database.with({ signal: stream.writeSignal }), slice)
  return new FieldWatch(own ?? NO_FIELD_VALUES, known ?? NO_KNOWN_FIELDS, {
    isFull: slice.since === undefined,
    origin: cursorOrigin(stream.recipe),
  })
}

/**
 * Compares the fields of a slice with those of earlier readings: a field that was renamed at the API loses its values,
 * and each run would end as done. `next` computes what a batch adds, and `commit` takes it.
 */
export class FieldWatch {
  readonly #known: KnownFields
  readonly #isFull: boolean
  readonly #origin: CursorOrigin
  #read: FieldValues
  #next: FieldValues
  #lost: readonly string[] = []

  constructor(
    read: FieldValues,
    known: KnownFields,
    { isFull, origin }: { readonly isFull: boolean; readonly origin: CursorOrigin },
  ) {
    const isOther = known.origin !== undefined && known.origin.request !== origin.request
    this.#origin = { ...origin, ...(isOther && { varies: true }) }
    this.#read = read
    this.#next = read
    this.#known = known
    this.#isFull = isFull
  }

  /** Fields that have lost their values in this slice. Known at its end. */
  get newlyLost(): readonly string[] {
    return this.#lost.filter((field) => !this.#known.lost.includes(field))
  }

  /** Returns what to store with a batch. `loaded` are the fields of the table, at the end of the slice only. */
  next(added: FieldValues, loaded?: CompareOptions['loaded']): FieldValues | KnownFields | undefined {
    this.#next = addFieldValues(this.#read, added)
    if (loaded)
      return { ...compareFields(this.#next, this.#known, { isFull: this.#isFull, loaded }), origin: this.#origin }
    return added.samples.size > 0 ? this.#next : undefined
  }

  /** Records that the batch of the last `next` is committed. */
  commit(stored: FieldValues | KnownFields | undefined): void {
    this.#read = this.#next
    if (stored && 'lost' in stored) this.#lost = stored.lost
  }
}
