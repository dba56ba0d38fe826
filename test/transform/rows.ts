// Streams of rows, for the tests of src/transform.
import { source, type Stream } from '../../src/index.ts'
import type { Page } from '../../src/model/page.ts'
import { readPages, recordsOf } from '../source/read-pages.ts'

export interface Row {
  id: number
  type: string
}

export const row = (id: number): Row => ({ id, type: 'x'.repeat(id % 3) })

/** Pages of the given sizes; rows are numbered from 1. */
export const pagesOf = (...sizes: number[]): Stream<Row> =>
  source<Row>(async function* () {
    let id = 0
    for (const size of sizes) yield { records: Array.from({ length: size }, () => row(++id)), position: id }
  })

export const rowsOf = <T>(...rows: T[]): Stream<T> =>
  source<T>(async function* () {
    yield { records: rows }
  })

export const read = async (flow: Stream<unknown>): Promise<unknown[]> => recordsOf(await readPages(flow))

export const rejectsOf = (pages: readonly Page[]): unknown[] => pages.flatMap(({ rejects }) => rejects)
