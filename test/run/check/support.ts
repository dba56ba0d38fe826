// Calls `check` for one stream, and returns what it finds about its first page.
import { afterAll, beforeAll } from '@jest/globals'
import { pipeline, type Flow } from '../../../src/index.ts'
import { checkPipelines, type Finding } from '../../../src/run/check/check.ts'
import { testDatabase, type TestDatabase } from '../../support/database.ts'

let own: TestDatabase

/** Opens a database for the tests of a file. */
export function useDatabase(): void {
  beforeAll(async () => {
    own = await testDatabase()
  })
  afterAll(async () => own[Symbol.asyncDispose]())
}

/** Returns all findings about the source of a stream. The first one is the result of the request. */
export async function findingsOf(flow: Flow<unknown>, database = own): Promise<Finding[]> {
  const found = pipeline('p', { streams: { items: flow } })
  const findings = await checkPipelines([{ pipeline: found, file: 'p.ts' }], {
    database: database.url,
    signal: new AbortController().signal,
  })
  return findings.filter(({ location }) => location === 'p.items')
}

/** Returns the problems and the advice about the first page, without the result of the request. */
export async function remarksOf(flow: Flow<unknown>, database = own): Promise<string[]> {
  const [first, ...remarks] = await findingsOf(flow, database)
  if (first?.isFault) throw new Error(first.text)
  return remarks.map(({ isFault, text }) => `${isFault ? 'problem' : 'advice'}: ${text}`)
}
