// Reads a large body with `sluice run`, and once more with a run that is killed inside the body.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import type { Report } from '../src/model/report.ts'
import { FIRST_SERIAL, type BodyFormat, type BodyServer } from './body-server.ts'

export interface BodyProof {
  readonly records: number
  readonly rowsPerSecond: number
  readonly peakMemoryBytes: number
  /** Rows that the killed run had stored. */
  readonly storedBefore: number
  /** Peak of the run that resumed. */
  readonly resumedPeakBytes: number
}

export interface ProofOptions {
  readonly server: BodyServer
  /** Its URL. */
  readonly database: string
  /** Bytes after which the body stops for the run that is killed. */
  readonly killAt: number
  /** The run is killed once it has stored this share of the records. */
  readonly leastStored: number
}

/** Throws unless the table has each record of the body exactly once, both times. */
export async function proveBody(
  format: BodyFormat,
  { server, database, killAt, leastStored }: ProofOptions,
): Promise<BodyProof> {
  const client = new Client(database)
  await client.connect()
  try {
    const records = server.recordsIn(format)
    const environment = { DATABASE_URL: database, BODIES_API: server.origin, BODIES_FORMAT: format }
    const reset = async (): Promise<void> => {
      await client.query('drop schema if exists bodies cascade; drop schema if exists sluice cascade')
    }
    await reset()
    const startedAt = performance.now()
    const whole = await finished(start(environment))
    const seconds = (performance.now() - startedAt) / 1_000
    await check(client, format, records)
    await reset()
    server.holdAt = killAt
    const killed = start(environment)
    let storedBefore = 0
    while (storedBefore <= records * leastStored) {
      await sleep(100)
      if (killed.exitCode !== null) throw new Error(`${format}: the run ended before it could be killed`)
      storedBefore = await count(client)
    }
    killed.kill('SIGKILL')
    await once(killed, 'exit')
    server.holdAt = Infinity
    storedBefore = await count(client)
    const resumed = await finished(start(environment))
    await check(client, format, records)
    const { counts } = resumed.streams['rows'] ?? {}
    if (counts?.fetched !== records - storedBefore)
      throw new Error(`${format}: ${counts?.fetched} records were read again behind ${storedBefore} of ${records}`)
    return {
      records,
      rowsPerSecond: records / seconds,
      peakMemoryBytes: whole.peakMemoryBytes,
      storedBefore,
      resumedPeakBytes: resumed.peakMemoryBytes,
    }
  } finally {
    await client.end()
  }
}

const start = (environment: Readonly<Record<string, string>>) =>
  spawn(process.execPath, ['--max-semi-space-size=16', 'src/cli/main.ts', 'run', 'bench/body-pipeline.ts', '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: join(import.meta.dirname, '..'),
    env: { ...process.env, ...environment },
  })

async function finished(child: ReturnType<typeof start>): Promise<Report> {
  const [out = '', errors = ''] = await Promise.all(
    [child.stdout, child.stderr].map(async (stream) =>
      Buffer.concat(await Array.fromAsync(stream as AsyncIterable<Buffer>)).toString(),
    ),
  )
  const report = parsed(out)
  if (report?.status !== 'done') throw new Error(`the run failed: ${out}${errors}`)
  return report
}

function parsed(out: string): Report | undefined {
  try {
    return JSON.parse(out.trim().split('\n').at(-1) ?? '') as Report
  } catch {
    return undefined
  }
}

async function count(client: Client): Promise<number> {
  const { rows } = await client.query<{ name: string | null }>("select to_regclass('bodies.rows') as name")
  if (rows[0]?.name === null) return 0
  const { rows: counts } = await client.query<{ n: string }>('select count(*) as n from bodies.rows')
  return Number(counts[0]?.n)
}

/** Throws unless each record is there once, with every digit of its number. */
async function check(client: Client, format: BodyFormat, records: number): Promise<void> {
  const { rows } = await client.query<Record<'n' | 'different' | 'wrong', string>>(
    `select count(*) as n, count(distinct id) as different,
       count(*) filter (where serial <> $1::bigint + id or price <> 12.5
                          or text not like '%"ünïcode" & more <b>. ') as wrong
     from bodies.rows`,
    [String(FIRST_SERIAL)],
  )
  const [found] = rows
  if (Number(found?.n) !== records || Number(found?.different) !== records || Number(found?.wrong) !== 0)
    throw new Error(`${format}: of ${records} records the table has ${JSON.stringify(found)}`)
}
