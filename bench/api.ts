// An API as a process that sends prepared buffers, so that its cost is not measured. A response is one write of bytes.
// With node:http it would be formatted for each request, which costs as much as loading a page of 100 records.
//   node bench/api.ts RECORDS PAGE_SIZE…      sends its port to the parent process
// GET /SIZE?after=N returns { data: [ … ], next: "N" | null }
// GET /offset?offset=N&limit=SIZE returns { data: [ … ], total }
import { createServer, type AddressInfo } from 'node:net'
import { issue } from './records.ts'

const [records, ...sizes] = process.argv.slice(2).map(Number) as [number, ...number[]]
const texts = Array.from({ length: records }, (_, n) => JSON.stringify(issue(n)))
const answers = new Map(
  sizes.map((size) => [
    size,
    Array.from({ length: Math.ceil(records / size) }, (_, page) => {
      const next = (page + 1) * size
      return answer(
        '200 OK',
        `{"data":[${texts.slice(page * size, next).join(',')}],"next":${next < records ? `"${next}"` : 'null'}}`,
      )
    }),
  ]),
)
const notFound = answer('404 Not Found', '{}')

function answer(status: string, body: string): Buffer {
  return Buffer.from(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}

/** Returns the response to a request without a body, such as `GET /100/5000?after=200 HTTP/1.1`. */
function answerTo(request: string): Buffer {
  const [, asked] = /^GET \/offset\?(\S*) /.exec(request) ?? []
  if (asked !== undefined) {
    const query = new URLSearchParams(asked)
    const [offset, count] = [Number(query.get('offset')), Number(query.get('limit'))]
    return answer('200 OK', `{"data":[${texts.slice(offset, offset + count).join(',')}],"total":${records}}`)
  }
  const [, sized, limited, query = ''] = /^GET \/(\d+)(?:\/(\d*))?(?:\?(\S*))? /.exec(request) ?? []
  const size = Number(sized)
  const after = Number(/(?:^|&)after=(\d+)/.exec(query)?.[1] ?? 0)
  const ready = answers.get(size)?.[after / size]
  const limit = Number(limited || records)
  if (!ready || after + size < limit || after + size >= records) return ready ?? notFound
  // A shorter list of the same pages: its last page has no next one.
  const text = ready.toString()
  return answer('200 OK', text.slice(text.indexOf('\r\n\r\n') + 4).replace(/"next":"\d+"\}$/, '"next":null}'))
}

const server = createServer({ noDelay: true }, (socket) => {
  let received = ''
  socket
    .on('error', () => {})
    .on('data', (bytes) => {
      received += bytes.toString('latin1')
      for (let end = received.indexOf('\r\n\r\n'); end >= 0; end = received.indexOf('\r\n\r\n')) {
        socket.write(answerTo(received.slice(0, end)))
        received = received.slice(end + 4)
      }
    })
})
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.on('disconnect', () => process.exit())
