import type { FakeList } from './fake-list.ts'
import type { FakeRecord } from './fake-records.ts'
import type { FakeAnswer, FakeRequest } from './fake-request.ts'
import type { FaultKind } from './faults.ts'
import type { ListSettings } from './list-options.ts'
import { seededWhole } from './seeded.ts'
import { BadRequest, servePage, type FakePage, type PageChange } from './serve-page.ts'

/** A response with the fault that it has: none, if the fault cannot be made of it. */
interface FaultyAnswer {
  readonly answer: FakeAnswer
  readonly records: number
  readonly fault?: FaultKind
}

/** A list, and the faults of its pages. */
export class FaultyList {
  readonly list: FakeList
  readonly #settings: ListSettings
  readonly #seed: number
  /** Pages by the mark of the page that follows them. */
  readonly #before = new Map<string, FakePage>()
  #last: FakePage | undefined

  constructor(list: FakeList, settings: ListSettings, seed: number) {
    this.list = list
    this.#settings = settings
    this.#seed = seed
  }

  respond(request: FakeRequest, fault: FaultKind | undefined): FaultyAnswer {
    try {
      return this.#respond(request, fault)
    } catch (error) {
      if (!(error instanceof BadRequest)) throw error
      return { answer: { status: error.status, json: { error: error.message } }, records: 0 }
    }
  }

  #respond(request: FakeRequest, fault: FaultKind | undefined): FaultyAnswer {
    switch (fault) {
      case '500':
      case '502':
      case '503':
        return { answer: { status: Number(fault), json: { error: 'this is an injected fault' } }, records: 0, fault }
      case '429':
        return {
          answer: { status: 429, headers: { 'retry-after': '1' }, json: { error: 'this is an injected fault' } },
          records: 0,
          fault,
        }
      case 'html': {
        const body = '<!doctype html><title>Maintenance</title><p>We will be back soon.'
        return { answer: { headers: { 'content-type': 'text/html; charset=utf-8' }, body }, records: 0, fault }
      }
      case 'move':
      case 'insert':
      case 'delete': {
        const hasChanged = this.#changeList(request, fault)
        return { ...this.#page(request), ...(hasChanged && { fault }) }
      }
      case 'empty page':
        return { ...this.#page(request, { isEmpty: true }), fault }
      case 'wrong total': {
        if (!servePage(request, this.list, this.#settings).isStating) return this.#page(request)
        const wrongBy = this.#whole(1, 5, request) * (this.#whole(0, 1, request, 'sign') === 0 ? 1 : -1)
        return { ...this.#page(request, { wrongBy }), fault }
      }
      case 'repeated page': {
        const page = servePage(request, this.list, this.#settings)
        const before = page.here === undefined ? undefined : (this.#before.get(page.here) ?? this.#last)
        if (!before) return this.#page(request)
        return { answer: before.answer, records: before.records, fault }
      }
      case 'cut':
      case 'slow':
      case 'truncated':
      case undefined:
        return { ...this.#page(request), ...(fault && { fault }) }
    }
  }

  #page(request: FakeRequest, change?: PageChange): Pick<FaultyAnswer, 'answer' | 'records'> {
    const page = servePage(request, this.list, this.#settings, change)
    if (page.next !== undefined) this.#before.set(page.next, page)
    this.#last = page
    return { answer: page.answer, records: page.records }
  }

  /** Returns false if the list cannot be changed in this way. */
  #changeList(request: FakeRequest, fault: 'move' | 'insert' | 'delete'): boolean {
    const { records } = this.list
    const read = Math.min(this.#last?.end ?? 0, records.length)
    if (fault === 'insert') {
      this.list.insert(anotherOf(records))
      return true
    }
    // In a list by id, a record that is touched stays where it is.
    if (read === 0 || (fault === 'move' && this.#settings.walk.type === 'last record')) return false
    const index = this.#whole(0, read - 1, request)
    if (fault === 'move') this.list.move(index)
    else this.list.remove(index)
    return true
  }

  #whole(from: number, to: number, { url, tries }: FakeRequest, ...words: string[]): number {
    return seededWhole(from, to, this.#seed, url, tries, ...words)
  }
}

/** Returns a record like the last one, with an id of its own. */
function anotherOf(records: readonly FakeRecord[]): FakeRecord {
  const ids = records.map(({ id }) => id)
  const isNumbered = ids.every((id) => typeof id === 'number')
  const id = isNumbered ? Math.max(0, ...ids) + 1 : `new-${records.length + 1}`
  return { ...records.at(-1), id }
}
