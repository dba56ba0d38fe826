import { describe, expect, test } from '@jest/globals'
import { source } from '../../src/index.ts'
import type { OwnPage } from '../../src/model/recipe.ts'
import { readSecrets } from '../../src/observe/secrets.ts'
import { readPages } from './read-pages.ts'

const gradesOf = async (...pages: Partial<OwnPage<unknown>>[]): Promise<unknown[]> => {
  const read = await readPages(
    source(async function* () {
      for (const page of pages) yield { records: [1], ...page }
    }),
  )
  return read.map(({ completeness }) => completeness)
}

describe('the completeness of a custom source', () => {
  const counted = { grade: 'counted', reasons: [] }
  const ended = { grade: 'ended', reasons: [] }
  const open = { grade: 'open', reasons: ['the source says that records may be missing'] }

  test('a generator that returns without a word has ended', async () => {
    expect(await gradesOf({}, {})).toEqual([undefined, undefined, ended])
    expect(await gradesOf()).toEqual([ended])
  })

  test('its last word counts', async () => {
    expect(await gradesOf({ complete: 'ended' }, { complete: 'counted' })).toEqual([undefined, undefined, counted])
    expect(await gradesOf({ complete: 'counted' }, {})).toEqual([undefined, undefined, counted])
    expect(await gradesOf({ complete: 'counted' }, { complete: 'ended' })).toEqual([undefined, undefined, ended])
  })

  test('`open` stays, and its page has it at once', async () => {
    expect(await gradesOf({ complete: 'open' }, { complete: 'counted' })).toEqual([open, undefined, open])
  })

  test('a reason has no full stop at its end, and no secret', async () => {
    const secrets = readSecrets({ TOKEN: 's3cret-token' })
    secrets.value('TOKEN')
    const pages = await readPages(
      source(async function* () {
        yield { records: [], complete: { open: 'the export s3cret-token was cut off. ' } }
      }),
      { secrets },
    )
    expect(pages.at(-1)!.completeness).toEqual({
      grade: 'open',
      reasons: ['the export {secret:TOKEN} was cut off'],
    })
  })

  test.each([
    ['true', true],
    ["'all'", 'all'],
    ['null', null],
    ['an object without a reason', {}],
    ['an empty reason', { open: ' ' }],
  ])('%s is no completeness', async (_, complete) => {
    await expect(gradesOf({ complete: complete as never })).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(/^source\(\): `complete` must be 'counted', 'ended', 'open' or \{ open: /),
    })
  })

  test('the end of the range in the declared order ends it', async () => {
    const pages = await readPages(
      source<{ at: number }>(async function* () {
        yield { records: [{ at: 1 }] }
        yield { records: [{ at: 9 }] }
        yield { records: [{ at: 99 }] }
      }).incremental('at', { order: 'ascending' }),
      { until: '5' },
    )
    expect(pages.map(({ completeness }) => completeness)).toEqual([undefined, undefined, ended])
  })
})
