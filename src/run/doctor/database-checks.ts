// Checks of the server, the tables and the ledger. What `check` and `status` know is asked of them.
import {
  readBloat,
  readClockDifference,
  readConnectionRoom,
  readOldTransactions,
  type TableBloat,
} from '../../database/server-health.ts'
import type { Queryable } from '../../database/queryable.ts'
import { readIncidents } from '../../ledger/incidents.ts'
import { readLedgerSize } from '../../ledger/read/ledger-size.ts'
import { readDeadLeases, readMissedTicks, readPruningDelay } from '../../ledger/read/read-health.ts'
import { readWaits } from '../../ledger/read/read-waits.ts'
import { settle } from '../../flow/settle.ts'
import { durationText } from '../../value/duration.ts'
import { formatBytes, formatCount, formatNumber } from '../../value/format.ts'
import { checkDatabase } from '../check/check-database.ts'
import { checkTable } from '../check/check-table.ts'
import { faultOf } from '../check/finding.ts'
import { scheduleOf } from '../../define/schedule/schedule.ts'
import { schemasOf, tablesOf } from '../schema-right.ts'
import { readStatusFrom } from '../status/status.ts'
import { waitOf, waitText } from '../status/waits.ts'
import { note, ok, problem, saidOr, type CheckContext, type DoctorCheck, type Said } from './doctor-finding.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** Checks that need no ledger. */
export const DATABASE_CHECKS: readonly DoctorCheck<CheckContext>[] = [
  { name: 'database', look: lookAtDatabase },
  { name: 'clock', look: lookAtClock },
  { name: 'connections', look: lookAtConnections },
  { name: 'tables', look: lookAtTables },
  { name: 'bloat', look: lookAtBloat },
  { name: 'transactions', look: lookAtTransactions },
]

/** Checks of a ledger that is up to date. */
export const LEDGER_CHECKS: readonly DoctorCheck<CheckContext>[] = [
  { name: 'ledger', look: lookAtLedger },
  { name: 'leases', look: lookAtLeases },
  { name: 'ticks', look: lookAtTicks },
  { name: 'limits', look: lookAtLimits },
  { name: 'incidents', look: lookAtIncidents },
  { name: 'streams', look: lookAtStreams },
]

const pipelinesOf = ({ found }: CheckContext) => found.map(({ pipeline }) => pipeline)

/** Calls a check in a transaction that may not write. */
const reading =
  (look: (on: Queryable, context: CheckContext) => Promise<readonly Said[]>): DoctorCheck<CheckContext>['look'] =>
  async (context, signal) => {
    await using snapshot = await context.database.transaction({ readOnly: true, statementTimeout: '1m', signal })
    return await look(snapshot, context)
  }

async function lookAtDatabase(context: CheckContext): Promise<readonly Said[]> {
  return [ok(await checkDatabase(context.database, schemasOf(tablesOf(pipelinesOf(context)))))]
}

/** Below this, the clocks agree well enough for everything. */
const CLOCK_NOTE_MS = 5_000
const CLOCK_PROBLEM_MS = 60_000

function lookAtClock(context: CheckContext, signal: AbortSignal): Promise<readonly Said[]> {
  return reading(async (on, { now }) => {
    const { aheadMs, uncertainMs } = await readClockDifference(on, now)
    const apart = Math.max(0, Math.abs(aheadMs) - uncertainMs)
    const difference = Math.round(Math.abs(aheadMs))
    if (apart < CLOCK_NOTE_MS) return [ok(`this machine and the server differ by ${durationText(difference)}`)]
    const text =
      `this machine is ${durationText(Math.round(difference / 1_000) * 1_000)} ` +
      `${aheadMs > 0 ? 'behind' : 'ahead of'} the server: schedules run at the time of this machine, and signed ` +
      'requests carry it. Set both by NTP (timedatectl set-ntp true)'
    return [apart < CLOCK_PROBLEM_MS ? note(text) : problem(text)]
  })(context, signal)
}

/** What a run opens: its pool, and the connection that keeps its leases. */
const CONNECTIONS_OF_RUN = 11
/** Pipelines that a scheduler runs at once. */
const PIPELINES_AT_ONCE = 4

function lookAtConnections(context: CheckContext, signal: AbortSignal): Promise<readonly Said[]> {
  return reading(async (on) => {
    const { used, free, limit } = await readConnectionRoom(on)
    const scheduled = pipelinesOf(context).filter((pipeline) => scheduleOf(pipeline)).length
    const needed = CONNECTIONS_OF_RUN * Math.max(1, Math.min(scheduled, PIPELINES_AT_ONCE))
    const runs = needed / CONNECTIONS_OF_RUN
    const who = runs === 1 ? 'a run opens' : `${runs} scheduled runs at once open`
    const text = `${formatCount(free, 'connection')} left of ${limit}, ${used} in use; ${who} up to ${needed}`
    const remedy =
      '. Raise it, close idle clients, or put a pooler in between (DATABASE_DIRECT_URL for what must pass it)'
    if (free < CONNECTIONS_OF_RUN) return [problem(text + remedy)]
    return [free < needed ? note(text + remedy) : ok(text)]
  })(context, signal)
}

/** Rights on the target tables, their keys and their columns, as `sluice check` sees them without a request. */
async function lookAtTables({ database, found, state, secrets }: CheckContext): Promise<readonly Said[]> {
  const checks = found.flatMap(({ pipeline: { name: pipeline, streams } }) =>
    Object.entries(streams).map(async ([stream, { table }]) => {
      try {
        await checkTable(database, { pipeline, stream, table, rows: undefined, ledger: state })
        return []
      } catch (error) {
        const location = `${pipeline}.${stream}`
        return [problem(`${location} -> ${table.name}: ${faultOf(location, { secrets }, error).text}`)]
      }
    }),
  )
  const { done, failed } = await settle(checks)
  if (failed.length > 0) throw failed[0]
  return saidOr(`${formatCount(checks.length, 'table')} with the rights, keys and columns that runs need`, done.flat())
}

/** Autovacuum starts at a fifth of the rows. Twice as many say that it does not keep up. */
const BLOAT_SHARE = 0.4
const MIN_DEAD_ROWS = 1_000
/** As many dead rows as live ones: each scan reads twice as much. */
const MIN_PROBLEM_ROWS = 100_000

function lookAtBloat(context: CheckContext, signal: AbortSignal): Promise<readonly Said[]> {
  return reading(async (on) => {
    const tables = tablesOf(pipelinesOf(context)).map(({ name }) => name)
    const bloat = await readBloat(on, [...new Set(tables)], 'sluice')
    const found = bloat.filter(({ live, dead }) => dead > MIN_DEAD_ROWS + BLOAT_SHARE * live).map(bloatOf)
    return saidOr(`${formatCount(bloat.length, 'table')} of targets and ledger without many dead rows`, found)
  })(context, signal)
}

function bloatOf({ table, live, dead, vacuumedAt, isAutomatic }: TableBloat): Said {
  const last = vacuumedAt ? `last vacuumed ${vacuumedAt.toISOString()}` : 'never vacuumed'
  const why = isAutomatic ? '' : '; autovacuum is switched off for it (autovacuum_enabled)'
  const text =
    `${table}: ${formatNumber(dead)} dead rows beside ${formatNumber(live)} live ones, ${last}${why}. ` +
    `Run: vacuum (analyze) ${table}`
  return dead > live && dead >= MIN_PROBLEM_ROWS ? problem(text) : note(text)
}

/** A full load in one transaction may take minutes, not hours. */
const OLD_TRANSACTION_S = 3_600

function lookAtTransactions(context: CheckContext, signal: AbortSignal): Promise<readonly Said[]> {
  return reading(async (on) => {
    const old = await readOldTransactions(on, OLD_TRANSACTION_S)
    return saidOr(
      'none is older than an hour',
      old.map(({ pid, user, application, state, seconds }) =>
        note(
          `that of session ${pid} (${[user, application, state].filter(Boolean).join(', ')}) is open for ` +
            `${durationText(Math.floor(seconds / 60) * 60_000)}. Until it ends, no dead row is removed from any ` +
            `table. To end it: select pg_terminate_backend(${pid})`,
        ),
      ),
    )
  })(context, signal)
}

/** Old rows are removed at most an hour after they are due, by runs. */
const PRUNING_LATE_HOURS = 48

function lookAtLedger(context: CheckContext, signal: AbortSignal): Promise<readonly Said[]> {
  return reading(async (on) => {
    const { bytes, tables } = await readLedgerSize(on)
    const late = await readPruningDelay(on)
    const largest = tables.slice(0, 3).map(({ table, bytes: size }) => `${table} ${formatBytes(size)}`)
    const size = `up to date, ${formatBytes(bytes)} (${largest.join(', ')})`
    if (late < PRUNING_LATE_HOURS) return [ok(size)]
    return [note(`${size}. What is old was due to be removed ${Math.floor(late / 24)} days ago. Run: sluice prune`)]
  })(context, signal)
}

function lookAtLeases(context: CheckContext, signal: AbortSignal): Promise<readonly Said[]> {
  return reading(async (on) => {
    const dead = await readDeadLeases(on)
    return saidOr(
      'no process has left one behind',
      dead.map(({ pipeline, stream, run, seenAt }) =>
        problem(
          `${stream === undefined ? pipeline : `${pipeline}.${stream}`}: the process of run ${run} is gone since ` +
            `${seenAt.toISOString()}. Nothing is lost; the next run continues after its last commit: ` +
            `sluice run ${pipeline}`,
        ),
      ),
    )
  })(context, signal)
}

function lookAtTicks(context: CheckContext, signal: AbortSignal): Promise<readonly Said[]> {
  return reading(async (on, { now }) => {
    const missed = await readMissedTicks(on, new Date(now() - DAY_MS))
    return saidOr(
      'none was missed in the last 24 hours',
      missed.map(({ pipeline, ticks, last }) =>
        note(
          `${pipeline}: ${formatCount(ticks, 'tick')} missed in the last 24 hours, the last one at ` +
            `${last.toISOString()}, while no scheduler ran, or it was busy. ` +
            'Keep sluice schedule running, or set catchUp',
        ),
      ),
    )
  })(context, signal)
}

function lookAtLimits(context: CheckContext, signal: AbortSignal): Promise<readonly Said[]> {
  return reading(async (on) => {
    const waits = (await readWaits(on)).map(waitOf)
    return saidOr(
      'no API has asked to wait',
      waits.map((wait) => note(`${waitText(wait, wait.until)}. To ask earlier: sluice limits clear`)),
    )
  })(context, signal)
}

const MOST_INCIDENTS = 20

function lookAtIncidents(context: CheckContext, signal: AbortSignal): Promise<readonly Said[]> {
  return reading(async (on) => {
    const open = await readIncidents(on, { onlyOpen: true, limit: MOST_INCIDENTS })
    return saidOr(
      'none is open',
      open.map(({ pipeline, stream, kind, openedAt, told, notTold }) => {
        const name = stream === undefined ? pipeline : `${pipeline}.${stream}`
        const text = `${name}: ${kind}, open since ${openedAt}`
        if (notTold.length > 0)
          return problem(`${text}, and could not be told to ${notTold.join('; ')}. Try it: sluice notify test`)
        return note(`${text}, told to ${told.join(', ') || 'nobody'}. It is closed when the problem is over`)
      }),
    )
  })(context, signal)
}

/** What `sluice status` finds. Waits are told by the limits. */
function lookAtStreams(context: CheckContext, signal: AbortSignal): Promise<readonly Said[]> {
  return reading(async (on, { now }) => {
    const { findings, streams } = await readStatusFrom(pipelinesOf(context), on, { now: new Date(now()) })
    return saidOr(
      `${formatCount(streams.length, 'stream')} without a problem`,
      findings
        .filter(({ kind }) => kind !== 'waiting')
        .map(({ pipeline, stream, isFault, message }) => {
          const text = `${stream === undefined ? pipeline : `${pipeline}.${stream}`}: ${message}`
          return isFault ? problem(text) : note(text)
        }),
    )
  })(context, signal)
}
