// An API whose list moves between two requests, with a log of each state.
import type { ApiResponse, PageRequest } from '../../src/model/request.ts'
import type { Random } from './random.ts'
import type { Scenario } from './scenario.ts'

export interface Item {
  readonly id: number
  readonly updated_at: string
  /** Grows by one at each touch. */
  readonly version: number
}

/** The life of a record, in ticks: one for each change of the list. */
interface Life {
  readonly born: number
  died: number
  /** The tick and the value of each change, the first one at birth. */
  readonly changes: { readonly tick: number; readonly updatedAt: string; readonly version: number }[]
}

export class MovingApi {
  readonly #scenario: Scenario
  readonly #random: Random
  readonly #items = new Map<number, Item>()
  readonly #lives = new Map<number, Life>()
  readonly log: string[] = []
  requests = 0
  /** False: the list stays as it is. */
  isMoving = true
  /** Changes that are left, so that no reading is endless: a list may grow faster than it is read. */
  changesLeft = 0
  #clock = Date.parse('2024-05-01T00:00:00Z')
  #tick = 0
  #lastId = 0

  readonly #isRealTime: boolean

  constructor(scenario: Scenario, random: Random, { isRealTime = false }: { readonly isRealTime?: boolean } = {}) {
    this.#scenario = scenario
    this.#random = random
    this.#isRealTime = isRealTime
    // The records that are there at first are older than any reading.
    if (isRealTime) this.#clock = Date.now() - 7 * 86_400_000
    for (let count = scenario.records; count > 0; count--) {
      this.#clock += random.between(0, 90_000)
      this.#insert()
    }
    this.#clock += 3_600_000
    this.log.push(`at first: ${this.#state()}`)
  }

  get tick(): number {
    return this.#tick
  }

  now(): Date {
    return new Date(this.#clock)
  }

  /** Lets hours pass, in which the list moves on. */
  sleep(): void {
    this.#pass(this.#random.between(1, 48) * 3_600_000)
    if (this.isMoving) this.#change(this.#random.between(0, 12))
    this.log.push(`hours later: ${this.#state()}`)
  }

  /** Returns the records that were there from one tick to another and in the range from the beginning. */
  throughout(from: number, to: number, since: string | undefined): { id: number; life: Life; touched: boolean }[] {
    return [...this.#lives].flatMap(([id, life]) => {
      if (life.born > from || life.died <= to) return []
      const atFirst = life.changes.findLast(({ tick }) => tick <= from)
      if (!atFirst || (since !== undefined && atFirst.updatedAt < since)) return []
      return [{ id, life, touched: life.changes.some(({ tick }) => tick > from && tick <= to) }]
    })
  }

  get items(): readonly Item[] {
    return [...this.#items.values()]
  }

  answer(request: PageRequest): ApiResponse<unknown> & { bytes: number } {
    this.requests++
    const query = { ...Object.fromEntries(new URL(request.url, 'http://api.example').searchParams), ...request.query }
    const since = query['since'] as string | undefined
    const { kind, size, start, total, within, isExclusive } = this.#scenario
    const isInRange = (at: string): boolean =>
      since === undefined || at > since || (at === since && !(kind === 'since' && isExclusive))
    const list = this.#list().filter(({ updated_at: at }) => isInRange(at))
    const place = Number(query['at'] ?? query['page'] ?? query['offset'] ?? start)
    const from = {
      offset: place - start,
      page: (place - start) * size,
      cursor: this.#behind(list, query),
      link: this.#behind(list, query),
      'link to page': (place - start) * size,
      'url of offset': place - start,
      since: within === 'page' ? (place - start) * size : place - start,
    }[kind]
    const items = list.slice(from, from + size)
    const isLast = from + size >= list.length
    const last = items.at(-1)
    const cursor = isLast || !last ? null : `${last.updated_at} ${last.id}`
    this.log.push(`request ${this.requests} ${JSON.stringify(query)}: ${items.map(nameOf).join(' ') || 'nothing'}`)
    // Without a total, only an empty page is the last one.
    const isEnd = total ? isLast : items.length === 0
    const urlOf = (name: string, value: string | number): string =>
      `/list?${new URLSearchParams({ [name]: String(value), ...(since && { since }) }).toString()}`
    const link =
      kind === 'link to page' && !isEnd
        ? urlOf('page', place + 1)
        : kind === 'link' && cursor !== null && urlOf('after', cursor)
    const response = {
      status: 200,
      headers: link ? { link: `<${link}>; rel="next"` } : {},
      url: 'http://api.example/list',
      records: items,
      bytes: 100,
      body: {
        items,
        ...(total && { total: list.length }),
        pages: Math.ceil(list.length / size),
        ...(kind === 'cursor' && { next: cursor }),
        ...(kind === 'url of offset' && { next: isEnd ? null : urlOf('offset', place + items.length) }),
      },
    }
    this.#pass(this.#random.between(0, 1_500))
    if (this.isMoving && this.#random.chance(this.#scenario.unrest)) {
      this.#change(this.#random.between(1, this.#scenario.mostAtOnce))
      this.log.push(`then: ${this.#state()}`)
    }
    return response
  }

  #behind(list: readonly Item[], query: PageRequest['query']): number {
    if (query['after'] === undefined) return 0
    const [at = '', id] = (query['after'] as string).split(' ')
    const mark = { id: Number(id), updated_at: at, version: 0 }
    const index = list.findIndex((item) => this.#order(item, mark) > 0)
    return index < 0 ? list.length : index
  }

  #order(a: Item, b: Item): number {
    const { order } = this.#scenario
    const sign = order.endsWith('descending') ? -1 : 1
    if (order.startsWith('updated') && a.updated_at !== b.updated_at) return a.updated_at < b.updated_at ? -sign : sign
    // The name of a record depends on its version, so a touch moves it anywhere.
    if (order.startsWith('name')) return nameValue(a) - nameValue(b) || a.id - b.id
    return (a.id - b.id) * sign
  }

  #list(): Item[] {
    return [...this.#items.values()].toSorted((a, b) => this.#order(a, b))
  }

  #state(): string {
    return this.#list().map(nameOf).join(' ')
  }

  #change(times: number): void {
    for (let left = times; left > 0 && this.changesLeft > 0; left--, this.changesLeft--) {
      this.#pass(this.#random.between(0, 400))
      const ids = [...this.#items.keys()]
      const what = ids.length === 0 ? 'insert' : this.#random.pick(this.#scenario.changes)
      if (what === 'insert') this.#insert()
      else if (what === 'touch') this.#touch(this.#random.pick(ids))
      else this.#delete(this.#random.pick(ids))
    }
  }

  /** Lets time pass. That of this machine passes by itself, and two changes never have one moment. */
  #pass(ms: number): void {
    this.#clock = this.#isRealTime ? Math.max(this.#clock + 1, Date.now()) : this.#clock + ms
  }

  #insert(): void {
    this.#tick++
    const id = ++this.#lastId
    const item = { id, updated_at: this.#value(), version: 1 }
    this.#items.set(id, item)
    this.#lives.set(id, {
      born: this.#tick,
      died: Infinity,
      changes: [{ tick: this.#tick, updatedAt: item.updated_at, version: 1 }],
    })
  }

  /** The time of a change, in the grain of the API: several records may have one. */
  #value(): string {
    const { grain } = this.#scenario
    return new Date(Math.floor(this.#clock / grain) * grain).toISOString()
  }

  #touch(id: number): void {
    this.#tick++
    const { version } = this.#items.get(id) as Item
    const item = { id, updated_at: this.#value(), version: version + 1 }
    this.#items.set(id, item)
    this.#lives.get(id)?.changes.push({ tick: this.#tick, updatedAt: item.updated_at, version: item.version })
  }

  #delete(id: number): void {
    this.#tick++
    this.#items.delete(id)
    const life = this.#lives.get(id)
    if (life) life.died = this.#tick
  }
}

const nameValue = ({ id, version }: Item): number => (Math.imul(id * 31 + version, 2_654_435_761) >>> 0) % 997

const nameOf = ({ id, version }: Item): string => (version === 1 ? `${id}` : `${id}v${version}`)
