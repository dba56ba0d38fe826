// The place of a record's cursor value, and its form.
import { DecodeError } from '../../model/errors.ts'
import type { Incremental } from '../../model/recipe.ts'
import { timeReader } from '../../value/time-form.ts'
import { valueFrom } from '../response-value.ts'

/**
 * Returns where the cursor's value is found. Times of another form than ISO 8601 are read by a function, so that they
 * compare by time. It throws if the first value has another form, because then the definition is wrong; a later one is
 * NaN, which cannot be compared.
 */
export function cursorAt({ at, time }: Pick<Incremental, 'at' | 'time'>): Incremental['at'] {
  if (!time) return at
  const reader = timeReader(time)
  let hasRead = false
  return (record: never) => {
    const value = valueFrom(at, record)
    if (value === undefined || value === null || value === '') return undefined
    try {
      const text = reader.read(value)
      hasRead = true
      return text
    } catch (cause) {
      if (hasRead || !(cause instanceof RangeError)) return Number.NaN
      const location = `.incremental(${typeof at === 'string' ? `'${at}'` : 'function'})`
      throw new DecodeError(`${location}: ${cause.message}. Correct the form in time()`, { cause })
    }
  }
}
