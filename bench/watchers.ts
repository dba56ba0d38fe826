// Clients of the events as a process: most read, some never do, and one is cut off repeatedly and resumes.
//   node bench/watchers.ts URL READERS NOT_READING [AFTER]
import { once } from 'node:events'
import { get, type ClientRequest, type IncomingMessage } from 'node:http'

const [url = '', readers = '', idle = ''] = process.argv.slice(2)
const seen: string[][] = []
let cuts = 0
const state = { over: false }
const requests = new Set<ClientRequest>()

async function watch(ids: string[], after: string | undefined): Promise<IncomingMessage> {
  const request = get(`${url}/api/events`, {
    agent: false,
    headers: after === undefined ? {} : { 'last-event-id': after },
  })
  requests.add(request.on('error', () => {}).on('close', () => requests.delete(request)))
  const [answer] = (await once(request, 'response')) as [IncomingMessage]
  let text = ''
  answer
    .setEncoding('utf8')
    .on('error', () => {})
    .on('data', (chunk: string) => {
      const parts = (text + chunk).split('\n\n')
      text = parts.pop()!
      for (const part of parts) if (part.includes('\ndata: ')) ids.push(part.slice(4, part.indexOf('\n')))
    })
  return answer
}

for (let n = 0; n < Number(readers) - 1; n += 1) await watch((seen[n] = []), undefined)
for (let n = 0; n < Number(idle); n += 1) (await watch([], undefined)).pause()
const cut: string[] = []
const start = process.argv[5] ?? '0'
seen.push(cut)
const cutting = (async () => {
  while (!state.over) {
    const answer = await watch(cut, cut.at(-1) ?? start)
    await new Promise((resolve) => setTimeout(resolve, 150))
    cuts += 1
    if (!state.over) answer.destroy()
  }
})()
process.send?.({ ready: true })
const finish = async (last: string): Promise<void> => {
  const until = performance.now() + 10_000
  while (performance.now() < until && !seen.every((ids) => ids.at(-1) === last))
    await new Promise((resolve) => setTimeout(resolve, 20))
  state.over = true
  await cutting
  process.send?.({ seen, cuts }, () => process.exit())
}
process.on('message', (last: string) => void finish(last))
process.on('disconnect', () => process.exit())
