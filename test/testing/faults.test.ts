// Silent loss is the worst fault. Every way to page is read with every fault, by seeds: a reading has every record, or
// says that it may not have.
import { describe, expect, test } from '@jest/globals'
import { messageOf } from '../../src/value/error.ts'
import { expectStream, fakeApi, FAULTS, type FakeStyle, type FaultKind } from '../../src/testing/index.ts'
import { streamOfStyle, styles } from './flow-of-style.ts'

const RECORDS = 34
/** More of them: `SLUICE_FAULT_SEEDS=50 npm run jest -- test/testing/faults.test.ts`. */
const SEEDS = Array.from({ length: Number(process.env['SLUICE_FAULT_SEEDS'] ?? 1) }, (_, index) => index + 1)

/**
 * Faults that leave no trace in a style, as docs/READ-EVERYTHING.md says. An empty page is the end, or a page whose
 * records are hidden, where no number of records is stated. Neither is a deletion seen where pages are counted.
 */
const UNSEEN: readonly (readonly [FaultKind, readonly FakeStyle[]])[] = [
  [
    'empty page',
    [...(['one page', 'page', 'page of pages', 'page with more', 'offset', 'last record', 'since', 'header'] as const)],
  ],
  ['delete', ['page', 'page of pages', 'page with more', 'header']],
  // A first page that states too few pages is believed: nothing else says how much there is.
  ['wrong total', ['page of pages']],
]
const isUnseen = (fault: FaultKind, style: FakeStyle): boolean =>
  UNSEEN.some(([one, among]) => one === fault && among.includes(style))

interface Outcome {
  readonly style: FakeStyle
  readonly seed: number
  readonly kinds: readonly FaultKind[]
}

/** Reads a list with faults. Returns what is wrong, or undefined, and the number of faults that there were. */
async function readWithFaults({
  style,
  seed,
  kinds,
}: Outcome): Promise<{ wrong?: string; faults: number; end: string }> {
  await using api = await fakeApi({
    paging: style,
    records: RECORDS,
    slowMs: 1,
    faults: { seed, kinds, share: 0.4 },
  })
  const flow = streamOfStyle(style, 'https://shop.example').into('shop.items', { key: 'id' })
  const before = new Set(api.list().records.map(({ id }) => id))
  const { rows, completeness, error } = await expectStream(flow, { from: api }).reading()
  const after = new Set(api.list().records.map(({ id }) => id))
  const faults = api.requests.filter(({ fault }) => fault !== undefined)
  const end = error === undefined ? (completeness?.grade ?? 'none') : 'failed'
  const read = new Set(rows.map(({ id }) => id))
  const missing = [...before].filter((id) => after.has(id) && !read.has(id as number))
  const isSure = end === 'counted' || end === 'ended'
  const log = api.requests.map(({ url, fault, records }) => `${url} ${records} ${fault ?? ''}`).join('\n')
  return {
    faults: faults.length,
    end,
    ...(isSure &&
      missing.length > 0 && { wrong: `${style}, seed ${seed}: ${end}, and without ${missing.join()}\n${log}` }),
    ...(end === 'none' && { wrong: `${style}: ${messageOf(error)}` }),
  }
}

/** Reads several lists at once. Returns what is wrong, the number of faults, and the ends of the readings. */
async function readAll(cases: readonly Outcome[]): Promise<{ wrong: string[]; faults: number; ends: Set<string> }> {
  const outcomes = await Promise.all(cases.map(readWithFaults))
  return {
    wrong: outcomes.flatMap(({ wrong }) => wrong ?? []),
    faults: outcomes.reduce((sum, { faults }) => sum + faults, 0),
    ends: new Set(outcomes.map(({ end }) => end)),
  }
}

describe('no way to page loses a record in silence', () => {
  test.each(FAULTS)('%s', async (fault) => {
    const among = styles.filter((style) => !isUnseen(fault, style))
    const { wrong, faults } = await readAll(
      among.flatMap((style) => SEEDS.map((seed) => ({ style, seed, kinds: [fault] }))),
    )
    expect(wrong).toEqual([])
    expect(faults).toBeGreaterThan(SEEDS.length)
  })

  test('all of them together', async () => {
    const { wrong, ends } = await readAll(
      styles.flatMap((style) =>
        [...SEEDS, 101, 102].map((seed) => ({
          style,
          seed,
          kinds: FAULTS.filter((fault) => !isUnseen(fault, style)),
        })),
      ),
    )
    expect(wrong).toEqual([])
    expect(ends.size).toBeGreaterThan(2)
  })
})

describe('a list that moves while it is read without a ledger', () => {
  const faults = [{ request: 3, fault: 'move' }] as const

  test.each(['page', 'header'] as const)('rows() says that records may be missing: %s', async (style) => {
    await using api = await fakeApi({ paging: style, records: RECORDS, faults })
    const flow = streamOfStyle(style, api.url).into('shop.items', { key: 'id' })
    const read = Array.fromAsync(flow.rows())
    await expect(read).rejects.toMatchObject({ code: 'INCOMPLETE' })
  })

  test('a preview reads it again, and has each row once', async () => {
    await using api = await fakeApi({ paging: 'page', records: RECORDS, faults })
    const read = expectStream(streamOfStyle('page', api.url).into('shop.items', { key: 'id' }))
    await read.toYieldCount(RECORDS)
    await read.toBeComplete()
    expect(api.requests.length).toBeGreaterThan(6)
  })
})
