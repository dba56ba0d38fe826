// npm run bodies -- [megabytes] [format …]    reads one body of each format, 1,000 MB if no other size is given: rows a
// second, the peak of resident memory, and a run that is killed inside the body and resumes there.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { embeddedDatabase } from '../src/database/embedded/embedded-database.ts'
import { BODY_FORMATS, serveBodies, type BodyFormat } from './body-server.ts'
import { proveBody } from './body-proof.ts'

/** What a run may take, whatever the size of the body. */
const MAX_BYTES = 300e6

const [megabytes = '1000', ...chosen] = process.argv.slice(2)
const bytes = Number(megabytes) * 1e6
const formats = chosen.length === 0 ? BODY_FORMATS : (chosen as BodyFormat[])
const column = (text: string, width = 12): string => text.padStart(width)
const directory = mkdtempSync(join(tmpdir(), 'sluice-bodies-'))
try {
  await using database = await embeddedDatabase({ dir: directory, settings: { max_wal_size: '8GB' } })
  await using server = await serveBodies(bytes)
  console.log(
    `bodies of ${megabytes} MB\n\n${''.padEnd(8)}     records       rows/s      peak MB   killed at   resumed MB`,
  )
  let isOver = false
  for (const format of formats) {
    const proof = await proveBody(format, { server, database: database.url, killAt: bytes * 0.4, leastStored: 0.3 })
    const { records, rowsPerSecond, peakMemoryBytes, storedBefore, resumedPeakBytes } = proof
    const whole = [records, Math.round(rowsPerSecond), Math.round(peakMemoryBytes / 1e6), storedBefore]
    const cells = [...whole, Math.round(resumedPeakBytes / 1e6)].map((value) => column(value.toLocaleString('en-US')))
    console.log(`${format.padEnd(8)}${cells.join(' ')}`)
    isOver ||= Math.max(peakMemoryBytes, resumedPeakBytes) > MAX_BYTES
  }
  if (isOver) {
    console.log(`\na run took more than ${MAX_BYTES / 1e6} MB`)
    process.exitCode = 1
  }
} finally {
  rmSync(directory, { recursive: true, force: true })
}
