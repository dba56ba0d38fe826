// Three vendors that export by jobs, as their documentation describes them, and the pipelines that read them.
import { gzipSync } from 'node:zlib'
import type { ServerResponse } from 'node:http'
import type { ApiAnswer, ApiRequest } from '../../support/api-server.ts'

export type VendorName = 'shopify' | 'salesforce' | 'amazon'

/** Records of each export. */
export const RECORDS = 900
/** Pages of Salesforce, so that one of them can be the one in which a run is killed. */
const PAGE = 100

/** The places at which a vendor may be told to call `at`, before it answers. */
export type Moment = 'start' | 'poll' | 'result'

const idOf = (n: number): string => `r${String(n).padStart(4, '0')}`
const timeOf = (n: number): string => new Date(Date.UTC(2026, 0, 1) + n * 1_000).toISOString()
const numbers = Array.from({ length: RECORDS }, (_, n) => n)

export class Vendor {
  readonly name: VendorName
  /** Jobs that were accepted: one for each key, if the request has one. */
  readonly jobs: string[] = []
  readonly #keys = new Map<string, string>()
  starts = 0
  polls = 0
  results = 0
  /** Called when a request arrives. */
  at: (moment: Moment, times: number) => Promise<void> | void = () => {}
  /** Bodies of results stop after so large a part, until the connection is closed. */
  holdAt = 1
  /** Signatures that storage has accepted. */
  readonly #signatures = new Set<string>()
  origin = ''

  constructor(name: VendorName) {
    this.name = name
  }

  answer = async (request: ApiRequest): Promise<ApiAnswer> => {
    if (request.path.startsWith('/storage/')) return this.#file(request)
    switch (this.name) {
      case 'shopify':
        return this.#shopify(request)
      case 'salesforce':
        return this.#salesforce(request)
      case 'amazon':
        return this.#amazon(request)
    }
  }

  async #start({ headers }: ApiRequest): Promise<string> {
    const key = headers['idempotency-key']
    const known = typeof key === 'string' ? this.#keys.get(key) : undefined
    const id = known ?? `job-${this.jobs.length + 1}`
    if (known === undefined) this.jobs.push(id)
    if (typeof key === 'string') this.#keys.set(key, id)
    await this.at('start', (this.starts += 1))
    return id
  }

  /** True from the third poll on. */
  async #isDone(): Promise<boolean> {
    this.polls += 1
    await this.at('poll', this.polls)
    return this.polls >= 3
  }

  async #shopify(request: ApiRequest): Promise<ApiAnswer> {
    const { query } = JSON.parse(request.body) as { query: string }
    if (query.startsWith('mutation'))
      return {
        json: {
          data: { bulkOperationRunQuery: { bulkOperation: { id: await this.#start(request) }, userErrors: [] } },
        },
      }
    const isDone = await this.#isDone()
    const node = isDone
      ? { status: 'COMPLETED', url: this.#signed('lines.jsonl'), errorCode: null, objectCount: String(RECORDS) }
      : { status: 'RUNNING', url: null, errorCode: null, objectCount: '17' }
    return { json: { data: { node } } }
  }

  async #salesforce(request: ApiRequest): Promise<ApiAnswer> {
    const { method, path, query } = request
    if (method === 'POST') return { json: { id: await this.#start(request), state: 'UploadComplete' } }
    if (!path.endsWith('/results')) {
      const isDone = await this.#isDone()
      return { json: { state: isDone ? 'JobComplete' : 'InProgress', numberRecordsProcessed: isDone ? RECORDS : 0 } }
    }
    await this.at('result', (this.results += 1))
    const from = Number(query.get('locator') ?? 0)
    const rows = numbers.slice(from, from + PAGE).map((n) => `"${idOf(n)}","${timeOf(n)}","Name, ${n}"`)
    const next = from + PAGE < RECORDS ? String(from + PAGE) : 'null'
    if (from >= RECORDS * this.holdAt) return { hang: true }
    return {
      headers: { 'content-type': 'text/csv', 'sforce-locator': next, 'sforce-numberofrecords': String(rows.length) },
      body: ['"id","updatedAt","name"', ...rows, ''].join('\n'),
    }
  }

  async #amazon(request: ApiRequest): Promise<ApiAnswer> {
    if (request.method === 'POST') return { status: 202, json: { reportId: await this.#start(request) } }
    if (request.path.startsWith('/documents/'))
      return { json: { reportDocumentId: 'd1', compressionAlgorithm: 'GZIP', url: this.#signed('report.tsv.gz') } }
    const isDone = await this.#isDone()
    return {
      json: isDone ? { processingStatus: 'DONE', reportDocumentId: 'd1' } : { processingStatus: 'IN_PROGRESS' },
    }
  }

  #signed(file: string): string {
    return `${this.origin}/storage/${file}?signature=s1gned${Math.random()}`
  }

  /** Storage accepts each signature once, and later says that it has expired. */
  async #file({ path, query }: ApiRequest): Promise<ApiAnswer> {
    const signature = query.get('signature') ?? ''
    if (this.#signatures.has(signature)) return { status: 403, body: '<Error><Code>AccessDenied</Code></Error>' }
    this.#signatures.add(signature)
    await this.at('result', (this.results += 1))
    const isTable = path.endsWith('.gz')
    const text = isTable
      ? ['id\tupdatedAt\tname', ...numbers.map((n) => `${idOf(n)}\t${timeOf(n)}\tName "${n}"`), ''].join('\r\n')
      : numbers.map((n) => `${JSON.stringify({ id: idOf(n), updatedAt: timeOf(n), ...parentOf(n) })}\n`).join('')
    const bytes = isTable ? gzipSync(text) : Buffer.from(text)
    const held = this.holdAt < 1 ? Math.floor(bytes.length * this.holdAt) : undefined
    return {
      raw: (response: ServerResponse) => {
        response.writeHead(200, {
          'content-type': isTable ? 'application/octet-stream' : 'application/jsonl',
          'content-length': String(bytes.length),
        })
        if (held === undefined) response.end(bytes)
        else response.write(bytes.subarray(0, held))
      },
    }
  }
}

const parentOf = (n: number): object => (n % 3 === 2 ? { __parentId: idOf(n - 1), sku: n } : { name: `Name ${n}` })

/** A pipeline file. `write` is the options of the table. */
export const pipelineOf = (name: VendorName, write: string, cursor = ''): string => `
import { bearer, byCursor, csv, http, inHeader, ndjson, onePage, path, pipeline, secret, since } from 'SLUICE'

const quick = { every: '30ms', maxEvery: '100ms', idempotencyKey: process.env.KEY }
const api = http(process.env.API, {
  auth: bearer(secret('TOKEN')), allowedOrigins: [process.env.STORAGE], maxPageSize: '8kB', attempts: 2,
})
${SOURCES[name]}
export default pipeline('jobs', { streams: { rows: rows${cursor}.into('t.rows', ${write}) } })
`

const SOURCES: Readonly<Record<VendorName, string>> = {
  shopify: `
const rows = api
  .graphql(
    'mutation ($query: String!) {' +
    ' bulkOperationRunQuery(query: $query) { bulkOperation { id } userErrors { message } } }',
    ({ since = '2020-01-01' }) => ({
      query: '{ orders(query: "updated_at:>=' + since + '") { edges { node { id } } } }',
    }))
  .job({
    id: 'bulkOperationRunQuery.bulkOperation.id',
    poll: (id) => api.graphql(
      'query ($id: ID!) { node(id: $id) { ... on BulkOperation { status url errorCode objectCount } } }', { id }),
    state: 'node.status', done: 'COMPLETED', failed: ['FAILED', 'CANCELED'], expired: 'EXPIRED',
    error: 'node.errorCode', count: 'node.objectCount', ...quick,
  })
  .download('node.url', { format: ndjson() })
`,
  salesforce: `
const rows = api
  .post('/jobs/query', { json: ({ since = '2020-01-01T00:00:00Z' }) => ({
    operation: 'query', query: 'SELECT id, updatedAt, name FROM Account WHERE updatedAt >= ' + since }) })
  .job({
    id: 'id', poll: (id) => api.get(path\`/jobs/query/\${id}\`),
    state: 'state', done: 'JobComplete', failed: ['Failed', 'Aborted'], error: 'errorMessage',
    count: 'numberRecordsProcessed', ...quick,
  })
  .results((_, id) =>
    api.get(path\`/jobs/query/\${id}/results\`, { maxRecords: 100 }, { format: csv() })
      .pages(byCursor('locator', inHeader('sforce-locator'))).records())
`,
  amazon: `
const rows = api
  .post('/reports', { json: { reportType: 'ALL', dataStartTime: since } })
  .job({
    id: 'reportId', poll: (id) => api.get(path\`/reports/\${id}\`),
    state: 'processingStatus', done: 'DONE', empty: 'CANCELLED', failed: 'FATAL', ...quick,
  })
  .results((report) =>
    api.get(path\`/documents/\${report.reportDocumentId}\`).pages(onePage())
      .download('url', { format: csv({ delimiter: '\\t', quote: false }) }))
`,
}
