// Which parameter of a description filters by the last change, and what is left to ask.
import { expect, test } from '@jest/globals'
import { Description } from '../../../src/probe/openapi/description.ts'
import { readOpenApi } from '../../../src/probe/openapi/read-openapi.ts'

const ASKED =
  /^Can a run read only what changed\? .* with \.incremental\('last_modified'\) send `since` there if it means/

test.each([
  ['min_last_modified', 'integer', { min_last_modified: { bound: 'since' } }, /^$/],
  ['last_modified__gte', 'integer', { last_modified__gte: { bound: 'since' } }, /^$/],
  // Records with the cursor's own value would be left out.
  ['gt_last_modified', 'integer', undefined, ASKED],
  // What it is about stands nowhere.
  ['_since', 'integer', undefined, ASKED],
  ['min_last_modified', 'string', undefined, ASKED],
])('the number last_modified, and the parameter %s of type %s', (name, type, query, asked) => {
  const properties = { id: { type: 'integer' }, last_modified: { type: 'integer' } }
  const schema = { type: 'array', items: { type: 'object', properties, required: ['id'] } }
  const responses = { 200: { content: { 'application/json': { schema } } } }
  const get = { parameters: [{ name, in: 'query', schema: { type } }], responses }
  const description = new Description({ openapi: '3.0.3', paths: { '/things': { get } } }, 'it.json')
  const [things] = readOpenApi(description, { given: new Map(), auth: [], headers: {} }).found.streams
  expect(things?.query).toEqual(query)
  expect(things?.cursor).toEqual(query && { at: 'last_modified' })
  expect(things?.questions?.filter((one) => one.includes('only what changed')).join(' ')).toMatch(asked)
})
