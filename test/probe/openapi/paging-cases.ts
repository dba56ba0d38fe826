// What descriptions state about pages, in its usual forms, and the paginator that it means.
import type { FoundPaging } from '../../../src/probe/found.ts'

const string = { type: 'string' }
export const integer = { type: 'integer' }
const flag = { type: 'boolean' }
export const object = (properties: object): object => ({ type: 'object', properties })
const items = { type: 'array', items: object({ id: integer }) }
export interface Case {
  readonly query: Readonly<Record<string, object>>
  readonly body: object
  readonly headers?: readonly string[]
  readonly paging: FoundPaging
  /** The number of questions about paging. */
  readonly asks?: number
}

export const PAGING_CASES: Readonly<Record<string, Case>> = {
  'a cursor below `paging.cursors`': {
    query: { after: string },
    body: object({ data: items, paging: object({ cursors: object({ before: string, after: string }) }) }),
    paging: { type: 'cursor', parameter: 'after', at: 'paging.cursors.after' },
  },
  'a page token of Google': {
    query: { pageToken: string, maxResults: integer },
    body: object({ items, nextPageToken: string }),
    paging: { type: 'cursor', parameter: 'pageToken', at: 'nextPageToken' },
  },
  'a cursor that fits by no name': {
    query: { marker: string },
    body: object({ items, next: string }),
    paging: { type: 'cursor', parameter: 'marker', at: 'next' },
    asks: 1,
  },
  '`next` as a URL, and a total': {
    query: { page: integer },
    body: object({ results: items, next: { type: 'string', format: 'uri' }, total: integer }),
    paging: { type: 'next url', at: 'next', total: 'total' },
  },
  '`@odata.nextLink`': {
    query: { $top: integer, $skip: integer },
    body: object({ value: items, '@odata.nextLink': string, '@odata.count': integer }),
    paging: { type: 'next url', at: '@odata.nextLink', total: '@odata.count' },
  },
  HAL: {
    query: { page: integer },
    body: object({
      _embedded: object({ users: items }),
      _links: object({ self: object({ href: string }), next: object({ href: string }) }),
    }),
    paging: { type: 'next url', at: '_links.next.href' },
  },
  'offsets whose default is no beginning': {
    query: { offset: { type: 'integer', default: 20 }, limit: integer },
    body: object({ data: items }),
    paging: { type: 'offset', parameter: 'offset', start: 0 },
  },
  'offsets with a total': {
    query: { offset: integer, limit: { type: 'integer', default: 20 } },
    body: object({ data: items, pagination: object({ total: integer, offset: integer }) }),
    paging: { type: 'offset', parameter: 'offset', start: 0, total: 'pagination.total' },
  },
  'an index that counts from 1, and a total of money': {
    query: {
      startIndex: { type: 'integer', minimum: 1 },
      limit: { type: 'integer', description: 'Maximum (default 20)' },
    },
    body: object({ data: items, total: { type: 'number', format: 'double' } }),
    paging: { type: 'offset', parameter: 'startIndex', start: 1 },
  },
  'pages of Spring, counted from 0': {
    query: { page: { type: 'integer', default: 0 }, size: integer },
    body: object({ content: items, totalPages: integer, totalElements: integer, last: flag }),
    paging: {
      type: 'page',
      parameter: 'page',
      start: 0,
      pages: 'totalPages',
      total: 'totalElements',
      more: 'last',
      moreIs: false,
    },
  },
  'pages whose first number is not stated': {
    query: { page: integer },
    body: items,
    paging: { type: 'page', parameter: 'page', start: 1 },
    asks: 1,
  },
  'totals in headers': {
    query: { page: { type: 'integer', minimum: 1 } },
    body: items,
    headers: ['X-Total-Count', 'X-Total-Pages'],
    paging: {
      type: 'page',
      parameter: 'page',
      start: 1,
      pages: { header: 'x-total-pages' },
      total: { header: 'x-total-count' },
    },
  },
  'a header with the next page': {
    query: { page: { type: 'integer', minimum: 1 } },
    body: items,
    headers: ['X-Next-Page'],
    paging: { type: 'header', parameter: 'page', header: 'x-next-page' },
  },
  '`from` as a time is no offset': {
    query: { from: { type: 'integer', description: 'A Unix timestamp.' }, limit: { type: 'integer', maximum: 200 } },
    body: items,
    paging: { type: 'one page', atMost: 200 },
    asks: 1,
  },
  nothing: { query: {}, body: object({ data: items }), paging: { type: 'one page', atMost: 1 }, asks: 1 },
}
