// Which field is the key, by the names in a description and by the path of one record.
import { expect, test } from '@jest/globals'
import { Description } from '../../../src/probe/openapi/description.ts'
import { readOpenApi } from '../../../src/probe/openapi/read-openapi.ts'

const list = (properties: object) => ({
  get: {
    parameters: [{ name: 'limit', in: 'query', schema: { type: 'integer' } }],
    responses: {
      200: { content: { 'application/json': { schema: { type: 'array', items: { type: 'object', properties } } } } },
    },
  },
})
const one = (properties: object) => ({
  get: { responses: { 200: { content: { 'application/json': { schema: { type: 'object', properties } } } } } },
})

test('a key is found by all words of its list and by the path of one record; many lists are asked one question', () => {
  const [id, dag] = [{ type: 'integer' }, { dag_id: { type: 'string' }, owner: { type: 'string' } }]
  const paths = {
    '/importErrors': list({ import_error_id: id, file: { type: 'string' } }),
    '/orderItems': list({ itemId: id, orderItemId: id }),
    '/dags': list(dag),
    '/dags/{dag_id}': one(dag),
    '/pools': list({ id, slots: id }),
    '/pools/{pool_id}': one({ id, slots: id }),
  }
  const { found } = readOpenApi(new Description({ openapi: '3.0.3', paths }, 'it.json'), { given: new Map() })
  expect(found.streams.map(({ name, key }) => [name, key])).toEqual([
    ['import_errors', ['import_error_id']],
    ['order_items', ['orderItemId']],
    ['dags', ['dag_id']],
    ['pools', ['id']],
  ])
  const size = /^How large may a page be \('limit'\)/
  expect(found.questions?.filter((question) => size.test(question))).toEqual([
    expect.stringMatching(/\(4 lists: import_errors, order_items, dags, pools\)$/),
  ])
  const asked = found.streams.map(({ questions = [] }) => questions.filter((one) => /^(How large|Does each)/.test(one)))
  expect(asked.map((questions) => questions.map((one) => one.slice(0, 16)))).toEqual([
    ['Does each record'],
    ['Does each record'],
    [],
    [],
  ])
})
