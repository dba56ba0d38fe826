import { expect, test } from '@jest/globals'
import { byOffset, byPage, bySince, type Paging } from '../../../src/index.ts'
import { PositionLostError } from '../../../src/model/errors.ts'
import { isEnd, type Page, type Position } from '../../../src/model/page.ts'
import type { SliceRead } from '../../../src/model/slice.ts'
import { seeded } from '../../kill/job.ts'
import { apiServer } from '../../support/api-server.ts'
import { readPages, recordsOf } from '../read-pages.ts'
import { minute, pageOf, rows, streamOf, type Row } from './since-list.ts'

/** A list that changes between requests: records are touched, inserted and deleted. */
class MovingList {
  list: Row[]
  readonly #random: () => number
  readonly #changes: number
  #clock: number
  #nextId: number
  /** Ids that were there all the time. */
  readonly throughout: Set<number>

  constructor(random: () => number, count: number, changes: number) {
    this.#random = random
    this.#changes = changes
    const ties = 1 + Math.floor(random() * random() * 40)
    this.list = rows(count, (id) => minute(Math.floor(id / (1 + Math.floor(random() * ties)))))
    this.list.sort((a, b) => order(a, b))
    this.#clock = count
    this.#nextId = count
    this.throughout = new Set(this.list.map(({ id }) => id))
  }

  /** Changes the list, as often as `changes` says. */
  move(): void {
    while (this.#random() < this.#changes) {
      if (this.#random() < 0.5) this.#clock++
      const index = Math.floor(this.#random() * this.list.length)
      const what = this.#random()
      const row = this.list[index]
      if (what < 0.6 && row) this.#put({ ...row, at: minute(this.#clock) }, index)
      else if (what < 0.8) this.#put({ id: this.#nextId++, at: minute(this.#clock) })
      else if (row) {
        this.list.splice(index, 1)
        this.throughout.delete(row.id)
      }
    }
  }

  #put(row: Row, instead?: number): void {
    if (instead !== undefined) this.list.splice(instead, 1)
    this.list.push(row)
    this.list.sort((a, b) => order(a, b))
  }
}

const order = (a: Row, b: Row): number => compare(a.at ?? '', b.at ?? '') || a.id - b.id
const compare = (a: string, b: string): number => Number(a > b) - Number(a < b)

/** Paginators, and whether the bound leaves out its own value. */
const PAGINATORS: readonly [Paginator, ...Paginator[]] = [
  [bySince(byPage('page')), false],
  [bySince(byOffset('offset')), false],
  [bySince(byPage('page'), { exclusive: true }), true],
]
type Paginator = readonly [Paging<never>, boolean]

/** `SEEDS=1000 npm run jest -- since-moving` tries more. */
const SEEDS = Number(process.env['SEEDS'] ?? 40)

test.each(Array.from({ length: SEEDS }, (_, index) => index + 1))(
  'bySince misses no record of a list that moves, and stores none twice (seed %i)',
  async (seed) => {
    const random = seeded(seed)
    const size = random() < 0.3 ? 1 + Math.floor(random() * 3) : 1 + Math.floor(random() * 100)
    const count = Math.floor(random() * Math.min(400, size * 30))
    const moving = new MovingList(random, count, random() < 0.2 ? 0 : random() * 0.6)
    const [paging, isExclusive] = PAGINATORS[Math.floor(random() * PAGINATORS.length)] ?? PAGINATORS[0]
    const isKeyless = random() < 0.5
    const { stored, missing } = await readMoving(moving, random, {
      paging,
      isExclusive,
      size,
      slice: {
        startedAt: random() < 0.5 ? new Date('2026-01-01') : new Date(minute(count)),
        ...(isKeyless ? { restart: 'slice', boundary: {} } : { restart: 'page', key: ['id'] }),
      },
    })
    const isOpen = stored.some(({ completeness }) => completeness?.grade === 'open')
    const contents = (recordsOf(stored) as Row[]).map(({ id, at }) => `${id} ${at}`)
    expect({
      missing: isOpen ? [] : missing,
      // A value that goes on for many small pages may never come to rest.
      isOpen: isOpen && size >= 10,
      doubled: isKeyless ? contents.length - new Set(contents).size : 0,
    }).toEqual({ missing: [], isOpen: false, doubled: 0 })
  },
)

interface MovingReading {
  readonly paging: Paging<never>
  readonly isExclusive: boolean
  readonly size: number
  readonly slice: Partial<SliceRead>
}

/** Reads a list over kills, each of which resumes at a stored position. Returns the pages and the missing ids. */
async function readMoving(
  moving: MovingList,
  random: () => number,
  { paging, isExclusive, size, slice }: MovingReading,
): Promise<{ stored: Page[]; missing: number[] }> {
  await using server = await apiServer((request) => {
    const items = pageOf(moving.list, request, { isExclusive })
    // A list that grows faster than it is read has no end.
    if (request.index < 150) moving.move()
    return { json: { items } }
  })
  const stream = streamOf(server, { paging, limit: size })
  let stored: Page[] = []
  let position: Position = null
  while (!isEnd(position)) {
    try {
      const pages = await readPages(stream, { ...slice, position, pages: 1 + Math.floor(random() * 12) })
      // A kill loses the pages behind the last position that was stored.
      const kept = pages.slice(0, random() < 0.7 ? pages.length : Math.floor(random() * pages.length))
      const end = kept.findLastIndex((page) => page.position !== undefined)
      stored.push(...kept.slice(0, end + 1))
      position = kept[end]?.position ?? position
    } catch (error) {
      if (!(error instanceof PositionLostError)) throw error
      stored = []
      position = null
    }
  }
  const ids = new Set((recordsOf(stored) as Row[]).map(({ id }) => id))
  return { stored, missing: [...moving.throughout].filter((id) => !ids.has(id)) }
}
