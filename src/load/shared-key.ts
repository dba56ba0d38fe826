// A key that is not one: records of one page share it and differ, so all but one of them are lost.
import type { Table } from '../model/recipe.ts'
import { formatCount } from '../value/format.ts'
import type { Selected } from './row-selection.ts'

/** Returns what to say of the rows of some pages that are left out; undefined if there are none. */
export function sharedKeyText({ name, key, write }: Table, { rows, key: value }: Selected['lost']): string | undefined {
  if (rows === 0) return undefined
  const fields = key.join(', ')
  const [has, differ] = rows === 1 ? ['has', 'differs'] : ['have', 'differ']
  return (
    `${name}: ${formatCount(rows, 'record')} of a page ${has} the key of another one and ${differ} from it, ` +
    `such as ${fields} = ${(value ?? '').replaceAll('\t', ', ')}: only the ` +
    `${write === 'append' ? 'first' : 'last'} of each is stored. Is (${fields}) the whole key? If a list has several ` +
    'versions of a record, give versionBy'
  )
}
