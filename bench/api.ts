// An API in a process of its own that serves ready buffers, so that what it costs stays out of what is measured.
//   node bench/api.ts RECORDS PAGE_SIZE…      prints its port; GET /SIZE?after=N answers { data: [ … ], next: "N" | null }
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { issue } from './records.ts'

const [records, ...sizes] = process.argv.slice(2).map(Number) as [number, ...number[]]
const texts = Array.from({ length: records }, (_, n) => JSON.stringify(issue(n)))
const pages = new Map(sizes.map((size) => [size, Array.from({ length: Math.ceil(records / size) }, (_, page) => {
  const next = (page + 1) * size
  return Buffer.from(`{"data":[${texts.slice(page * size, next).join(',')}],"next":${next < records ? `"${next}"` : 'null'}}`)
})]))

const server = createServer((request, response) => {
  const [path = '', query = ''] = request.url!.split('?')
  const size = Number(path.split('/')[1])
  const after = Number(/(?:^|&)after=(\d+)/.exec(query)?.[1] ?? 0)
  const limit = Number(path.split('/')[2] || records)
  const buffer = pages.get(size)?.[after / size]
  if (!buffer) {
    response.writeHead(404).end()
    return
  }
  // A shorter listing of the same pages: its last one is cut off by what it says of the next.
  if (after + size >= limit && after + size < records) {
    const body = buffer.toString().replace(/"next":"\d+"\}$/, '"next":null}')
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body)
    return
  }
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': buffer.length }).end(buffer)
})
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.on('disconnect', () => process.exit())
