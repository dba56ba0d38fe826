// Compiled, never run: each use is wrong, and the compiler must say so.
/* oxlint-disable no-unused-expressions, typescript/no-unsafe-return, typescript/no-unsafe-assignment */
import {
  apiKey,
  bearer,
  byCursor,
  byLastRecord,
  byNextUrl,
  byOffset,
  byPage,
  byRelay,
  bySince,
  csv,
  fromRows,
  http,
  inHeader,
  onePage,
  path,
  pipeline,
  secret,
  since,
  source,
  stream,
  zip,
  type Stream,
} from '../../src/index.ts'
import { billing, forum } from './pipelines.ts'

interface Customer {
  id: string
  email: string | null
  created: number
  address: { city: string } | null
  active: boolean
  tags: string[]
}
interface Listing {
  data: Customer[]
  meta: { next: string | null; total: number }
  has_more: boolean
}

const api = http('https://api.example/v1', { auth: bearer(secret('TOKEN')), rate: '10/s' })
const listing = api.get<Listing>('/customers')
const pages = listing.pages(onePage())
const customers = pages.records('data')

// @ts-expect-error 01 a misspelt path to the records
pages.records('dta')
// @ts-expect-error 02 a path that leads to no array
pages.records('meta')
// @ts-expect-error 03 a body that is no array needs a path
pages.records()
// @ts-expect-error 04 a function that answers no array
pages.records((page) => page.meta)
// @ts-expect-error 05 a misspelt path to the cursor
listing.pages(byCursor('after', 'meta.nxt'))
// @ts-expect-error 06 a cursor that is an object
listing.pages(byCursor('after', 'meta'))
// @ts-expect-error 07 a field that the body does not have
listing.pages(byCursor('after', (page) => page.next))
// @ts-expect-error 08 a URL is text
listing.pages(byNextUrl('meta.total'))
// @ts-expect-error 09 'more' must be a boolean
listing.pages(byPage('page', { more: 'meta.total' }))
// @ts-expect-error 10 a misspelt option
listing.pages(byOffset('offset', { totl: 'meta.total' }))
// @ts-expect-error 11 a record's field that does not exist
listing.pages(byLastRecord('after', 'data.uid'))
// @ts-expect-error 12 this path leads to no connection with pageInfo
listing.pages(byRelay('data'))
// @ts-expect-error 13 pages were not said: nothing is read by accident as one page only
listing.records('data')
// @ts-expect-error 14 a paginator of one's own answers a request
listing.pages(({ body }) => body.meta.next)
// @ts-expect-error 15 a former name, whose type says what its name is now
stream(async function* () {})
// @ts-expect-error 16 a rate without its unit
http('https://api.example', { rate: '10' })
// @ts-expect-error 17 a secret's value belongs into the environment
http('https://api.example', { auth: bearer('s3cret') })
// @ts-expect-error 18 a path begins with a slash
api.get<Listing>('customers')
// @ts-expect-error 19 a value of a path may not be null
path`/cities/${null}`
// @ts-expect-error 20 a date in a query has no one form: say which
api.get<Listing>('/customers', { created: new Date() })
// @ts-expect-error 21 a misspelt cursor field
customers.incremental('updated_at')
// @ts-expect-error 22 a boolean has no order
customers.incremental('active')
// @ts-expect-error 23 a lookback in words
customers.incremental('email', { lookback: '5 minutes' })
// @ts-expect-error 24 a number is no clock until its unit is known
customers.incremental('created', { lookback: '5m' })
// @ts-expect-error 25 the cursor is taken before records are changed
customers.map((customer) => customer).incremental('created')
// @ts-expect-error 26 an async filter would keep everything
customers.filter(async (customer) => customer.active)
// @ts-expect-error 27 text is no truth value
customers.filter((customer) => customer.email)
// @ts-expect-error 28 a misspelt field
customers.map((customer) => customer.mail)
// @ts-expect-error 29 a child is a stream, with its pages said
customers.flatMap((customer) => api.get<Listing>(path`/customers/${customer.id}`))
// @ts-expect-error 30 a field that cannot be picked
customers.pick('id', 'mail')
// @ts-expect-error 31 a field that cannot be renamed
customers.rename('mail', 'email')
// @ts-expect-error 32 a field to compare by that does not exist
customers.dedupe('uid')
// @ts-expect-error 33 a key that is no field
customers.into('billing.customers', { key: 'uid' })
// @ts-expect-error 34 a key that may be null
customers.into('billing.customers', { key: 'email' })
// @ts-expect-error 35 a key by its column's name instead of its field's
forum.streams.reactions && source<{ userId: number }>(async function* () {}).into('forum.x', { key: ['user_id'] })
// @ts-expect-error 36 merge needs a key
customers.into('billing.customers', {})
// @ts-expect-error 36b a history needs a key
customers.into('billing.customers', { write: 'history' })
// @ts-expect-error 37 a write mode that does not exist
customers.into('billing.customers', { key: 'id', write: 'upsert' })
// @ts-expect-error 38 a table without its schema
customers.into('customers', { key: 'id' })
// @ts-expect-error 39 a column type that does not fit its field
customers.into('billing.customers', { key: 'id', columns: { active: 'timestamptz' } })
// @ts-expect-error 40 a column of no field
customers.into('billing.customers', { key: 'id', columns: { uid: 'text' } })
// @ts-expect-error 41 a scalar is no row
customers.map((customer) => customer.id).into('billing.ids', { key: 'id' })
// @ts-expect-error 42 a promise is no value of a row
customers.map((customer) => ({ ...customer, city: fetchCity(customer.id) })).into('billing.customers', { key: 'id' })
// @ts-expect-error 43 a stream that has no table
pipeline('billing', { streams: { customers } })
// @ts-expect-error 44 a schedule that is no cron expression
pipeline('billing', { schedule: 'hourly', streams: {} })
// @ts-expect-error 45 a stream that the pipeline does not have
billing.streams.customer
// @ts-expect-error 46 a function that takes other records
customers.offload<typeof import('../transform/score.ts')>(new URL('../transform/score.ts', import.meta.url))
// @ts-expect-error 47 a source of one's own yields pages, not records
source<Customer>(async function* () {
  yield { id: '1' }
})
// @ts-expect-error 48 recipes are frozen
customers.recipe.stages.push({ type: 'pick', fields: [] })
// @ts-expect-error 49 rows that do not fit a type that was declared for them
customers satisfies Stream<{ id: string; email: string }>
customers satisfies Stream<{ id: string; email: string | null }>
// @ts-expect-error 50 a bound is no value of a path
path`/since/${since}`

// @ts-expect-error 51 a second cursor in a chain
customers.incremental('created').incremental('email')
// @ts-expect-error 52 a unit of a text
customers.incremental('email', { unit: 's' })
// @ts-expect-error 53 a beginning in numbers, of a clock
customers.incremental('created', { unit: 's', startFrom: 5 })
// @ts-expect-error 54 an order that does not exist
customers.incremental('created', { order: 'up' })
// @ts-expect-error 55 a version that is no field
customers.into('billing.customers', { key: 'id', versionBy: 'changed' })
// @ts-expect-error 56 a word that does not exist for columns
customers.into('billing.customers', { key: 'id', columns: 'ignore' })
// @ts-expect-error 57 a column type that does not fit its field, rounded or not
customers.into('billing.customers', { key: 'id', columns: { active: { type: 'numeric', round: true } } })
// @ts-expect-error 58 a duration in words
customers.into('billing.customers', { key: 'id', resumeWithin: '1 day' })
// @ts-expect-error 59 a flatMap that answers one record
customers.flatMap((customer) => customer)
// @ts-expect-error 60 a misspelt field in what a list was made from
customers.flatMap((customer) => customer.tags.map((tag) => ({ tag, id: customer.uid })))
// @ts-expect-error 61 records that a misspelt option would make optional
pages.records('data', { optinal: true })
// @ts-expect-error 62 a key of an API neither in the query nor in a header
apiKey(secret('KEY'), { cookie: 'key' })
// @ts-expect-error 63 a former name of an option
customers.into('billing.customers', { key: 'id', version: 'updated' })
// @ts-expect-error 64 a path to no number of pages
listing.pages(byPage('page', { pages: 'has_more' }))
// @ts-expect-error 65 a position that is no JSON
source<Customer>(async function* () {
  yield { records: [], position: 1n }
})
// @ts-expect-error 66 a word that does not exist for emptyText
customers.into('billing.customers', { key: 'id', emptyText: 'drop' })
// @ts-expect-error 67 a column without a type that rounds
customers.into('billing.customers', { key: 'id', columns: { email: { round: true } } })
// @ts-expect-error 68 the records stand in the body
pages.records(inHeader('x-data'))
// @ts-expect-error 69 a header by its bare name
listing.pages(byPage('page', { pages: 'x-total-pages' }))
// @ts-expect-error 70 a word that does not exist for complete
customers.into('billing.customers', { key: 'id', complete: true })
// @ts-expect-error 71 a grade that does not exist
source<Customer>(async function* () {
  yield { records: [], complete: 'all' }
})
// @ts-expect-error 72 a reason that is no text
source<Customer>(async function* () {
  yield { records: [], complete: { open: 5 } }
})
// @ts-expect-error 73 a rule that does nothing
http('https://api.example', { responseRules: [{ status: 404 }] })
// @ts-expect-error 74 a misspelt condition of a rule
http('https://api.example', { responseRules: [{ stauts: 404, action: 'empty' }] })
// @ts-expect-error 75 an option of another action
http('https://api.example', { responseRules: [{ status: 404, action: 'empty', expected: true }] })
// @ts-expect-error 76 a class of statuses that does not exist
http('https://api.example', { responseRules: [{ status: '6xx', action: 'retry' }] })
// @ts-expect-error 77 a wait without a unit
http('https://api.example', { responseRules: [{ status: 420, action: 'retry', wait: '30' }] })
// @ts-expect-error 78 a text as the pattern of a body
http('https://api.example', { responseRules: [{ text: 'gone', action: 'empty' }] })
// @ts-expect-error 79 a path to no number of pages, within bySince
listing.pages(bySince(byPage('page', { pages: 'has_more' })))
// @ts-expect-error 80 an option that does not exist
listing.pages(bySince({ order: 'ascending' }))
// @ts-expect-error 81 a format by its bare name
api.get<Customer[]>('/customers', {}, { format: 'csv' })
// @ts-expect-error 82 an option of CSV that does not exist
csv({ separator: ';' })
// @ts-expect-error 83 an archive in an archive
zip({ format: zip() })
// @ts-expect-error 84 names of columns that are no list
fromRows('values', { header: 5 })
// @ts-expect-error 85 a URL of a file that is no text
pages.download('meta.total')
// @ts-expect-error 86 an id of a job that is not in the response
api.post<{ id: string }>('/jobs').job({ id: 'number', done: 'done' })
// @ts-expect-error 87 a job that is never done
api.post<{ id: string }>('/jobs').job({ id: 'id' })
// @ts-expect-error 88 the pages of a request that ends a job
api.delete('/jobs').pages(byPage('page'))

declare function fetchCity(id: string): Promise<string>
