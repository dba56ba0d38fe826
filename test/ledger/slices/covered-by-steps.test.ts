import { expect, test } from '@jest/globals'
import { filledLedger } from './cover-support.ts'

type Step = readonly [since: string, until: string | undefined, grade?: 'open']
interface Case {
  /** Read before the open one. */
  readonly before?: readonly Step[]
  readonly open: Step
  readonly steps: readonly Step[]
  readonly isCovered: boolean
}
const CASES: Record<string, Case> = {
  'across a border': {
    open: ['2', '4'],
    steps: [
      ['1', '3'],
      ['3', '5'],
    ],
    isCovered: true,
  },
  'no end': {
    open: ['2', undefined],
    steps: [
      ['1', '3'],
      ['2.5', '5'],
      ['5', undefined],
    ],
    isCovered: true,
  },
  'a step within another': {
    open: ['2', '9'],
    steps: [
      ['1', '8'],
      ['2', '3'],
      ['8', '10'],
    ],
    isCovered: true,
  },
  'a gap': {
    open: ['2', '4'],
    steps: [
      ['1', '3'],
      ['3.5', '5'],
    ],
    isCovered: false,
  },
  'an open step': {
    open: ['2', '6'],
    steps: [
      ['1', '3'],
      ['3', '5', 'open'],
      ['5', undefined],
    ],
    isCovered: false,
  },
  'a later beginning': {
    open: ['2', '4'],
    steps: [
      ['3', '4'],
      ['4', '5'],
    ],
    isCovered: false,
  },
  'a gap that was read before': {
    before: [['1', '5']],
    open: ['2', '4'],
    steps: [
      ['1', '3'],
      ['3.5', '5'],
    ],
    isCovered: false,
  },
  'no step without an end': {
    open: ['2', undefined],
    steps: [
      ['1', '3'],
      ['3', '99'],
    ],
    isCovered: false,
  },
}

test('steps of a run that follow each other cover what none of them covers alone', async () => {
  await using ledger = await filledLedger()
  const { database, slice, cover } = ledger
  const found: Record<string, boolean> = {}
  for (const [stream, { before = [], open, steps }] of Object.entries(CASES)) {
    const [since, until] = open
    for (const [from, to] of before) await slice({ stream, since: from, until: to })
    const id = await slice({ stream, grade: 'open', since, until })
    for (const [from, to, grade = 'ended'] of steps) await slice({ stream, since: from, until: to, grade })
    const isCovered = async (): Promise<boolean> =>
      (await database.query('select from sluice.slices where id = $1 and covered_by is not null', [id])).length > 0
    await cover({ stream })
    expect(await isCovered()).toBe(false)
    await cover({ stream, isAtEnd: true })
    found[stream] = await isCovered()
  }
  expect(found).toEqual(Object.fromEntries(Object.entries(CASES).map(([name, { isCovered }]) => [name, isCovered])))
})

test('the steps of a reading of everything cover all that was read before, in a later run too', async () => {
  await using ledger = await filledLedger()
  const { database, slice, cover } = ledger
  await slice({ grade: 'open' })
  await slice({ grade: 'open', since: '1', until: '3' })
  await ledger.windows(1, '1d', ['open'])
  const before = await slice({ grade: 'open', since: '1', until: '2' })
  const first = await slice({ since: '1', until: '2' })
  const last = await slice({ since: '2' })
  const open = async (): Promise<number> =>
    (
      await database.query(
        `select from sluice.slices where status = 'done' and completeness = 'open' and covered_by is null`,
      )
    ).length
  await cover({ isAtEnd: true })
  // The first reading of everything, and the window.
  expect(await open()).toBe(2)
  await database.query(
    `insert into sluice.full_reads (pipeline, stream, definition, started_by, first_slice, last_slice)
     values ('forum', 'posts', 'd1', 1, $1, $2)`,
    [before, last],
  )
  await cover({ isAtEnd: true })
  // Its first step is open itself.
  expect(await open()).toBe(2)
  await database.query('update sluice.full_reads set first_slice = $1', [first])
  await using other = await ledger.worker()
  await cover({ isAtEnd: true, run: other.run })
  expect(await open()).toBe(0)
})
