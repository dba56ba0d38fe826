import { describe, expect, test } from '@jest/globals'
import { ENDED, openBecause, worstOf, type Completeness } from '../../src/model/completeness.ts'
import { NO_READ_COUNTS } from '../../src/model/counts.ts'
import { END, type Page, type Position } from '../../src/model/page.ts'
import type { Recipe, Stage } from '../../src/model/recipe.ts'
import { openScope } from '../../src/read/open-scope.ts'
import { readChildren } from '../../src/source/children/read-children.ts'
import type { FlatMap } from '../../src/source/children/expand-records.ts'
import type { PageStage } from '../../src/transform/compile-stages.ts'
import { throughStages } from '../../src/transform/through-stages.ts'

// What is known of the completeness of a reading reaches the end of the chain, whatever stands in between.

interface Item {
  readonly id: number
}

const page = (ids: readonly number[], position: Position, completeness?: Completeness): Page<Item> => ({
  records: ids.map((id) => ({ id })),
  rejects: [],
  counts: { ...NO_READ_COUNTS, fetched: ids.length },
  position,
  ...(completeness && { completeness }),
})

const emptyPage = openBecause('page 2 was empty, and more was announced')
const total = openBecause('3 of 4 records came')

/** A source whose page in the middle is open, and whose last page has its own grade. */
async function* source(): AsyncGenerator<Page> {
  await Promise.resolve()
  yield page([1, 2], { page: 2 })
  yield page([], { page: 3 }, emptyPage)
  yield page([3], END, total)
}

const gradesOf = async (pages: AsyncIterable<Page>): Promise<(Completeness | undefined)[]> => {
  const grades: (Completeness | undefined)[] = []
  for await (const { completeness } of pages) grades.push(completeness)
  return grades
}

const stages: Record<Exclude<Stage['type'], 'flatMap'>, PageStage> = {
  map: { type: 'map', fn: (item: Item) => ({ ...item, more: 1 }), concurrency: 1, ordered: true },
  filter: { type: 'filter', fn: () => false },
  deleted: { type: 'deleted', fn: () => true },
  flag: { type: 'flag', name: 'gone', where: { field: 'id', is: 1 } },
  tap: { type: 'tap', fn: async () => Promise.resolve(), concurrency: 2 },
  validate: {
    type: 'validate',
    schema: { '~standard': { vendor: 'test', validate: () => ({ issues: [{ message: 'never' }] }) } },
  },
  offload: {
    type: 'offload',
    module: new URL('../transform/score.ts', import.meta.url).href,
    concurrency: 1,
  },
  dedupe: { type: 'dedupe', by: ['missing'], last: 10 },
  rename: { type: 'rename', from: 'id', to: 'key' },
  pick: { type: 'pick', fields: ['id'] },
  omit: { type: 'omit', fields: ['id'] },
}

test.each(Object.entries(stages))('%s passes the completeness of each page on', async (_, stage) => {
  await using scope = openScope()
  expect(await gradesOf(throughStages(source(), [stage], scope))).toEqual([undefined, emptyPage, total])
})

/** A child that is open. The end of the stream has the reasons of all children. */
const OPEN: Completeness = { grade: 'open', reasons: [] }
const child = openBecause('the cursor of the child was in no answer')

/** The pages of a child: the second parent's child is open on its first page, the third one's at its end. */
async function* childOf(id: number): AsyncGenerator<Page> {
  await Promise.resolve()
  yield page([id * 10], { page: 2 }, id === 2 ? child : undefined)
  yield page([], END, id === 3 ? total : ENDED)
}

const childrenOf = (recipe: Recipe): AsyncIterable<Page> => childOf((recipe as unknown as Item).id)

const read = async (fn: FlatMap['fn'], parents = source): Promise<(Completeness | undefined)[]> => {
  await using scope = openScope()
  const stage: FlatMap = { type: 'flatMap', fn, concurrency: 2 }
  const slice = { position: null, restart: 'page' } as const
  return await gradesOf(readChildren({ parents, stage, read: childrenOf, hasCursor: false }, slice, scope))
}
const toChild = ({ id }: Item): never => ({ recipe: { id, stages: [] } }) as never

describe('flatMap', () => {
  test('into lists passes the completeness of each page on', async () => {
    expect(await read((({ id }: Item) => [{ id }, { id }]) as never)).toEqual([undefined, emptyPage, total])
  })

  test('into children passes on that of each child, and that of each page of parents with its end', async () => {
    expect(await read(toChild)).toEqual([
      undefined,
      ENDED,
      OPEN,
      ENDED,
      // The end of the first page of parents, and the second one.
      undefined,
      emptyPage,
      undefined,
      OPEN,
      worstOf(total, child),
    ])
  })

  test('into children whose parents are open has an open reading, though all children came to their end', async () => {
    const grades = await read(toChild, async function* () {
      await Promise.resolve()
      yield page([1], END, total)
    })
    expect(grades.reduce(worstOf, undefined)).toEqual(total)
  })

  test('of which each record is rejected passes on the completeness of the parents', async () => {
    const grades = await read((() => {
      throw new Error('not this one')
    }) as never)
    expect(grades).toEqual([undefined, emptyPage, total])
  })

  test('into a list for one record and a child for the next passes all on', async () => {
    const grades = await read((({ id }: Item) => (id === 1 ? [{ id }] : toChild({ id }))) as never)
    expect(grades).toEqual([undefined, OPEN, ENDED, undefined, emptyPage, undefined, OPEN, worstOf(total, child)])
  })
})
