// Writes documents with poison values through every write mode, by seed: `npm run poison -- --documents 1000000`.
// `--seed 17 --mode merge` repeats one round with the same documents.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openDatabase } from '../../src/database/database.ts'
import { embeddedDatabase } from '../../src/database/embedded/embedded-database.ts'
import { MODES, type Mode } from './documents.ts'
import { tryRound } from './round.ts'

const { values: options } = parseArgs({
  options: {
    documents: { type: 'string', default: '1000000' },
    /** The first seed. Each round has the next one. */
    seed: { type: 'string', default: '1' },
    /** Documents of the first reading of a round. */
    size: { type: 'string', default: '4000' },
    /** Only this write mode, and only one round. */
    mode: { type: 'string' },
    /** Stop after so many rounds with problems. */
    enough: { type: 'string', default: '5' },
  },
})

const directory = mkdtempSync(join(tmpdir(), 'sluice-poison-'))
try {
  await using server = await embeddedDatabase({ dir: directory, durable: false, settings: { max_wal_size: '4GB' } })
  await using database = await openDatabase({ url: server.url })
  const started = performance.now()
  const reasons = new Map<string, number>()
  const sums = new Map<Mode, { sent: number; stored: number; rejected: number; rounds: number }>()
  let [sent, broken] = [0, 0]
  for (
    let seed = Number(options.seed);
    sent < Number(options.documents) && broken < Number(options.enough);
    seed += 1
  ) {
    const mode = (options.mode as Mode | undefined) ?? MODES[seed % MODES.length]!
    const outcome = await tryRound({ database, url: server.url, mode, seed, documents: Number(options.size) })
    sent += outcome.sent
    const sum = sums.get(mode) ?? { sent: 0, stored: 0, rejected: 0, rounds: 0 }
    sums.set(mode, {
      sent: sum.sent + outcome.sent,
      stored: sum.stored + outcome.stored,
      rejected: sum.rejected + outcome.reasons.length,
      rounds: sum.rounds + 1,
    })
    for (const reason of outcome.reasons) {
      const kind = kindOf(reason)
      reasons.set(kind, (reasons.get(kind) ?? 0) + 1)
    }
    if (outcome.problems.length > 0) {
      broken += 1
      console.log(`BROKEN: npm run poison -- --seed ${seed} --mode '${mode}' --size ${options.size}`)
      console.log(`  ${JSON.stringify(outcome.plan)}`)
      for (const problem of outcome.problems.slice(0, 10)) console.log(`  ${problem}`)
    }
    if (options.mode !== undefined) break
  }
  console.log('\nreasons of rejects:')
  for (const [reason, count] of [...reasons].toSorted(([, a], [, b]) => b - a).slice(0, 40))
    console.log(`${String(count).padStart(8)}  ${reason}`)
  console.log('\nmode             rounds      sent    stored  rejected')
  for (const [mode, sum] of sums)
    console.log(
      mode.padEnd(16) +
        [sum.rounds, sum.sent, sum.stored, sum.rejected]
          .map((count) => String(count).padStart(10))
          .join('')
          .slice(3),
    )
  const seconds = Math.round((performance.now() - started) / 1_000)
  console.log(`\n${sent} documents in ${seconds} s: ${broken === 0 ? 'every promise held' : `${broken} rounds broken`}`)
  process.exitCode = broken === 0 ? 0 : 1
} finally {
  rmSync(directory, { recursive: true, force: true })
}

/** Returns a reason without the names and values that differ from record to record. */
function kindOf(reason: string): string {
  return reason
    .replaceAll(/"(?:[^"\\]|\\.)*"?…?/g, '"…"')
    .replaceAll(/-?\d[\d.eE+…-]*/g, '#')
    .replace(/^(\w+: )[^:]*: /, '$1FIELD: ')
    .slice(0, 110)
}
