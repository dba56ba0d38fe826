import { expect, test } from '@jest/globals'
import { byPage, http } from '../../../src/index.ts'
import type { ListMovedError } from '../../../src/model/errors.ts'
import { readPages, recordsOf } from '../read-pages.ts'
import { apiServer } from '../../support/api-server.ts'

test('equal records without a key are all stored once two readings of their list were equal', async () => {
  const list = Array.from({ length: 23 }, (_, index) => ({ value: index % 6 }))
  await using server = await apiServer(({ query }) => {
    const from = (Number(query.get('page')) - 1) * 5
    return { json: { items: list.slice(from, from + 5) } }
  })
  const records = http(server.origin)
    .get<{ items: { value: number }[] }>('/list')
    .pages(byPage('page'))
    .records('items')
  const moved = await readPages(records, { restart: 'slice', pass: 1 }).catch((error: unknown) => error)
  const passDigests = new Set([(moved as ListMovedError).passDigest ?? ''])
  const pages = await readPages(records, { restart: 'slice', pass: 2, passDigests })
  expect(recordsOf(pages)).toEqual(list)
  expect(pages.at(-1)?.completeness?.grade).toBe('ended')
})
