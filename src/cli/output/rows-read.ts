import { formatCount } from '../../value/format.ts'

const SAY_EVERY_MS = 10_000

/** Returns a function that says now and then how many rows were read: a reading of hours would look like a hang. */
export function rowsRead(pipeline: string): (stream: string, rows: number) => void {
  let last = performance.now()
  return (stream, rows) => {
    if (performance.now() - last < SAY_EVERY_MS) return
    last = performance.now()
    console.error(`${pipeline}.${stream}: ${formatCount(rows, 'row')} read`)
  }
}
