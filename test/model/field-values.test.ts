import { describe, expect, test } from '@jest/globals'
import {
  addFieldValues,
  compareFields,
  NO_KNOWN_FIELDS,
  type KnownFields,
  type Sample,
} from '../../src/model/field-values.ts'

const reading = (rows: number, samples: Record<string, Sample> = {}) => ({
  rows,
  samples: new Map(Object.entries(samples)),
})
const known = (full: Record<string, Sample>, part: Record<string, Sample> = {}, lost: string[] = []): KnownFields => ({
  full: new Map(Object.entries(full)),
  part: new Map(Object.entries(part)),
  lost,
})
const none: Readonly<Record<string, Sample>> = {}
const loaded = new Set(['id', 'title', 'rare', 'constructor'])
const full = { isFull: true, loaded }
const part = { isFull: false, loaded }

describe('a field that had values is lost', () => {
  test('after a reading of more than 20 rows without a value', () => {
    const before = known({ id: [50, 50], title: [50, 50] })
    expect(compareFields(reading(21, { id: [8, 8] }), before, full).lost).toEqual(['title'])
    expect(compareFields(reading(20, { id: [8, 8] }), before, full).lost).toEqual([])
    expect(compareFields(reading(21, { id: [8, 8], title: [1, 8] }), before, full).lost).toEqual([])
  })

  test('only if values were to be expected in so many rows', () => {
    const before = known({ rare: [1, 100] })
    expect(compareFields(reading(500), before, full).lost).toEqual([])
    expect(compareFields(reading(1_000), before, full).lost).toEqual(['rare'])
  })

  test('only if the table still loads it', () => {
    expect(compareFields(reading(100), known({ gone: [50, 50] }), full).lost).toEqual([])
  })

  test('until it has values again, however few rows the readings between have', () => {
    const after = compareFields(reading(100), known({ title: [50, 50] }), full)
    const small = compareFields(reading(1), after, full)
    expect(small.lost).toEqual(['title'])
    expect(compareFields(reading(1, { title: [1, 1] }), small, full).lost).toEqual([])
  })

  test('after readings that were too small to show it', () => {
    const small = compareFields(reading(5), known({ title: [50, 50] }), full)
    expect(small.lost).toEqual([])
    expect(compareFields(reading(50), small, full).lost).toEqual(['title'])
  })

  test('in an incremental reading if a full one had a value in each record', () => {
    const before = known({ title: [50, 50], rare: [40, 50] })
    expect(compareFields(reading(100), before, part).lost).toEqual(['title'])
    expect(compareFields(reading(100), known(none, { rare: [40, 50] }), part).lost).toEqual(['rare'])
  })
})

test('a stream without earlier readings has lost nothing', () => {
  expect(compareFields(reading(100, { ['constructor' as string]: [8, 8] }), NO_KNOWN_FIELDS, full)).toEqual(
    known({ ['constructor' as string]: [8, 8] }),
  )
})

test('samples of the parts of a reading are added', () => {
  expect(addFieldValues(reading(10, { id: [8, 8] }), reading(5, { id: [2, 5], rare: [1, 8] }), reading(0))).toEqual(
    reading(15, { id: [10, 13], rare: [1, 8] }),
  )
})
