// A worker as a process of its own, which can be killed and stopped. Prints its events as lines of JSON.
import { runWorker } from '../../../src/run/distribute/run-worker.ts'
import { slowShop } from './slow-shop.ts'

const [origin = '', database = ''] = process.argv.slice(2)
const stop = new AbortController()
process.on('SIGTERM', () => stop.abort(new Error('SIGTERM')))
await runWorker([slowShop(origin)], {
  database,
  concurrency: 1,
  heartbeatSeconds: 10,
  signal: stop.signal,
  onEvent: (event) => console.log(JSON.stringify(event)),
})
