import { describe, expect, test } from '@jest/globals'
import * as sluice from '../../src/index.ts'
import type { HttpSource } from '../../src/model/recipe.ts'

const { byOffset, byPage, fromData, http, onePage, pipeline, toData } = sluice
const endpoint = http('https://api.example').get<{ id: number; at: string }[]>('/rows')
const rows = endpoint.pages(onePage()).records()
const flow = rows.into('a.rows', { key: 'id' })

/** The compiler refuses former words too; JavaScript does not. */
const former = (value: object): never => value as never

describe('an option with its former name is refused, and the error names the new one', () => {
  test.each<[string, () => unknown, string]>([
    ['http allow', () => http('https://api.example', former({ allow: [] })), 'allow is now allowedOrigins'],
    ['http pageBytes', () => http('https://api.example', former({ pageBytes: 1 })), 'pageBytes is now maxPageSize'],
    ['byPage first', () => byPage('page', former({ first: 0 })), 'byPage(): first is now start'],
    ['byPage last', () => byPage('page', former({ last: 0 })), 'byPage(): last is now max'],
    ['byOffset first', () => byOffset('offset', former({ first: 0 })), 'byOffset(): first is now start'],
    ['byOffset last', () => byOffset('offset', former({ last: 0 })), 'byOffset(): last is now max'],
    ['a literal auth', () => http('https://api.example', { auth: former({ by: 'bearer' }) }), 'auth: by is now type'],
    ['a literal paginator', () => endpoint.pages(former({ by: 'page', first: 1 })), '.pages(): by is now type'],
    [
      'the start of a literal paginator',
      () => endpoint.pages(former({ type: 'page', first: 1 })),
      'first is now start',
    ],
    ['incremental from', () => rows.incremental('at', former({ from: '2024-01-01' })), 'from is now startFrom'],
    ['table version', () => rows.into('a.b', former({ key: 'id', version: 'at' })), 'version is now versionBy'],
    ['table shape', () => rows.into('a.b', former({ key: 'id', shape: 'freeze' })), 'shape is now onSchemaChange'],
    ['table empty', () => rows.into('a.b', former({ key: 'id', empty: 'accept' })), 'empty is now allowEmpty: true'],
    ['table resume', () => rows.into('a.b', former({ key: 'id', resume: '1h' })), 'resume is now resumeWithin'],
  ])('%s', (_, define, message) => {
    expect(define).toThrow(expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(message) }))
  })
})

describe('an export with its former name throws an error that names the new one', () => {
  test.each([
    ['stream', 'stream() is now source()'],
    ['describe', 'describe() is now describePipeline()'],
    ['date', 'date() is now isoDate()'],
    ['status', 'status() is now readStatus()'],
    ['schedule', 'schedule() is now runSchedule()'],
    ['header', "header(name, value) is now apiKey(value, { header: 'name' })"],
    ['sleep', 'sleep() is no longer exported: import setTimeout from node:timers/promises'],
  ])('%s', (name, message) => {
    expect(() => (sluice as unknown as Record<string, () => unknown>)[name]!()).toThrow(
      expect.objectContaining({ code: 'USAGE', message }),
    )
  })

  test('records of a finished flow', () => {
    expect(() => (flow as unknown as { records: () => unknown }).records()).toThrow(
      'records() of a finished flow is now rows()',
    )
  })
})

describe('data of a stored pipeline with a former name is refused by its place', () => {
  const data = toData(pipeline('p', { streams: { rows: flow } })).streams['rows']!
  const source = data.recipe.source as HttpSource

  test.each<[string, object, string]>([
    ['a paginator', { source: { ...source, paging: { by: 'one page' } } }, 'source.paging: by is now type'],
    [
      'an end of paging',
      { source: { ...source, paging: { type: 'page', parameter: 'page', start: 1, last: 2 } } },
      'source.paging: last is now max',
    ],
    [
      'an API',
      { source: { ...source, api: { ...source.api, pageBytes: 1 } } },
      'source.api: pageBytes is now maxPageSize',
    ],
    [
      'credentials',
      { source: { ...source, api: { ...source.api, auth: { by: 'basic' } } } },
      'source.api.auth: by is now type',
    ],
    ['a cursor', { incremental: { at: 'at', from: '2024' } }, 'incremental: from is now startFrom'],
    ['a stage', { stages: [{ stage: 'omit', fields: ['a'] }] }, 'stages[0]: stage is now type'],
  ])('%s', (_, change, message) => {
    const stored = { name: 'p', streams: { rows: { ...data, recipe: { ...data.recipe, ...change } } } }
    expect(() => fromData(stored)).toThrow(`p.rows: recipe.${message}`)
  })
})
