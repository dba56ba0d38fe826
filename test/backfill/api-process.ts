// An API with entries that change while they are read, as a process of its own; `node api-process.ts
// '{"records":500000,"days":1096,…}'` prints its port.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { seeded } from '../kill/job.ts'
import { Entries } from './entries.ts'

export interface ApiSettings {
  readonly records: number
  readonly days: number
  readonly latency: number
  readonly pageSize: number
  /** The share of entries that change right after they were sent to a backfill. */
  readonly changes: number
  readonly seed: number
}

const settings = JSON.parse(process.argv[2] ?? '{}') as ApiSettings
const entries = new Entries(settings)
const random = seeded(settings.seed)
let changing = true

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://api')
  const answer = (body: unknown): void => {
    const text = JSON.stringify(body)
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text)
  }
  if (pathname === '/changed') answer(entries.changed())
  else if (pathname === '/still') {
    changing = query.get('changes') === 'true'
    answer({})
  } else {
    const page = entries.page({
      since: query.get('since'),
      until: query.get('until'),
      after: query.get('after'),
      size: settings.pageSize,
    })
    setTimeout(() => {
      answer(page)
      // Now an old version is on its way, and a live run may store the new one first.
      if (changing && query.get('until') !== null && page.entries.length > 0 && random() < settings.changes)
        entries.change(page.entries[Math.floor(random() * page.entries.length)]!.id)
    }, settings.latency)
  }
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
console.log((server.address() as AddressInfo).port)
// It ends with the process that has started it.
process.stdin.resume().once('end', () => process.exit())
