// An API with export jobs, and the words that read it.
import { bearer, http, path, secret, type Duration, type JobOptions } from '../../../src/index.ts'
import type { Position } from '../../../src/model/page.ts'
import type { ApiAnswer, ApiRequest } from '../../support/api-server.ts'

export const quick = { every: '1ms', maxEvery: '5ms' } as const satisfies Record<string, Duration>
export const linesOf = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, n) => `{"id":${from + n}}\n`).join('')
export const idsOf = (records: readonly unknown[]): string =>
  records.map((record) => (record as { id: number }).id).join(' ')
export const upTo = (count: number): { id: number }[] => Array.from({ length: count }, (_, id) => ({ id }))
export const kept = (position: Position | undefined): Position =>
  JSON.parse(JSON.stringify(position ?? null)) as Position

export interface Started {
  readonly id: string
}
export interface Polled {
  readonly state: string
  readonly url?: string | null
  readonly count?: number
  readonly message?: string
}

/** An API whose jobs are done at the third poll. Each answer may be replaced. */
export class Exporter {
  starts: ApiRequest[] = []
  polls = 0
  cancelled: string[] = []
  records = 5
  answerTo: (request: ApiRequest) => ApiAnswer | undefined = () => undefined
  polled: (polls: number, id: string) => Polled = (polls) =>
    polls < 3 ? { state: 'running', url: null } : { state: 'done', url: '/files/1', count: this.records }

  answer = (request: ApiRequest): ApiAnswer => {
    const own = this.answerTo(request)
    if (own) return own
    if (request.method === 'POST') {
      this.polls = 0
      return { json: { id: `j${this.starts.push(request)}` } }
    }
    if (request.method === 'DELETE') {
      this.cancelled.push(request.path)
      return { status: 204 }
    }
    if (request.path.startsWith('/jobs/')) return { json: this.polled((this.polls += 1), request.path.slice(6)) }
    return { headers: { 'content-type': 'application/x-ndjson' }, body: linesOf(0, this.records) }
  }
}

export const jobOf = (origin: string, more: Partial<JobOptions<Started, Polled>> = {}) => {
  const api = http(origin, { attempts: 1, auth: bearer(secret('TOKEN')) })
  return api.post<Started>('/jobs', { json: { what: 'orders' } }).job<Polled>({
    id: 'id',
    poll: (id) => api.get<Polled>(path`/jobs/${id}`),
    state: 'state',
    done: 'done',
    failed: ['failed', 'aborted'],
    expired: 'expired',
    empty: 'nothing',
    error: 'message',
    cancel: (id) => api.delete(path`/jobs/${id}`),
    ...quick,
    ...more,
  })
}
