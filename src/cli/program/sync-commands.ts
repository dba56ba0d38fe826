import { type Command, Option } from 'commander'
import {
  addCommand,
  commandHandler,
  logFormat,
  ONLY_ACCOUNTS,
  parseDuration,
  parseMemory,
  wholeNumber,
} from './add-command.ts'

const BATCH_ROWS = 'rows per transaction, at most (default: 10,000)'
const ACCOUNTS_AT_ONCE = 'accounts of a pipeline to run at the same time (default: 4)'
const REPORT_AS_JSON = 'print only the report, as JSON'

/** Adds the commands that read APIs and fill tables: run, backfill, verify, demo. */
export function addSyncCommands(sluice: Command): void {
  addCommand(sluice, 'run', 'Bring the tables of pipelines up to date.')
    .argument(
      '[pipelines...]',
      'names in pipelines/, files, or NAME.STREAM for one stream (default: all of pipelines/)',
    )
    .option('--stream <names...>', 'run only these streams')
    .option('--account <names...>', ONLY_ACCOUNTS)
    .option('--accounts-at-once <n>', ACCOUNTS_AT_ONCE, wholeNumber(1))
    .option('--full', 'read everything again: ignore the cursor, and restart an interrupted read')
    .option('--dry-run', 'read and show rows, write nothing')
    .option('--limit <n>', 'with --dry-run: stop after this many rows of each stream', wholeNumber(1))
    .option(
      '--timeout <duration>',
      'stop after this time, as in 30m; the next run continues from the last commit',
      parseDuration,
    )
    .addOption(
      new Option('--overlap <mode>', 'if another run is reading the same stream')
        .choices(['skip', 'wait', 'fail'])
        .default('fail'),
    )
    .option('--most-deletes <n>', 'rows that a mirror may delete in this run, as 120 or 25%')
    .option('--receipt', 'show what each stream has cost the database: dead rows, sizes, WAL')
    .option('--distribute', 'let workers read the streams (sluice worker); without one that can, read them here')
    .option('--batch-rows <n>', BATCH_ROWS, wholeNumber(1))
    .option('--concurrency <n>', 'streams to read at the same time (default: 8)', wholeNumber(1))
    .option('--memory <size>', 'memory for decoded pages of all streams together (default: 64MB)', parseMemory)
    .option('--json', REPORT_AS_JSON)
    .addOption(logFormat())
    .option('--quiet', 'print one line for each pipeline: on stdout if it succeeded, else on stderr')
    .option('--summary-file <file>', 'write exit code, reports and errors to a file as JSON, also if the run fails')
    .action(commandHandler(async () => (await import('../commands/sync/run.ts')).runCommand))

  addCommand(
    sluice,
    'backfill',
    'Read a range of a stream again, in windows, several at the same time. The cursor of the stream does not move.',
  )
    .argument('<stream>', 'PIPELINE.STREAM, PIPELINE for all streams that can be read in windows, or a file')
    .option('--stream <name>', 'only this stream')
    .option('--account <names...>', ONLY_ACCOUNTS)
    .option('--accounts-at-once <n>', ACCOUNTS_AT_ONCE, wholeNumber(1))
    .requiredOption('--from <when>', 'start of the range: a day, or a moment as 2024-01-31T12:00:00Z')
    .requiredOption('--to <when>', 'end of the range, not included')
    .option('--window <length>', 'length of a window: 1h, 1d, 1w, 1mo, 1y, or several of one unit', '1d')
    .option('--zone <name>', 'time zone in which a day begins at midnight, as Europe/Berlin', 'UTC')
    .option('--concurrency <n>', 'windows to read at the same time (default: 4)', wholeNumber(1))
    .addOption(
      new Option('--only <which>', 'windows to read (default: all that are not done)').choices([
        'missing',
        'failed',
        'all',
      ]),
    )
    .option('--distribute', 'let workers read the windows (sluice worker); without one that can, read them here')
    .option('--most-deletes <n>', 'rows that a mirror may delete in each window, as 12 or 25%')
    .option('--dry-run', 'show the windows to read; request nothing, write nothing')
    .option('--estimate', 'show what it will cost; reads a few windows if the ledger does not know, writes nothing')
    .option(
      '--timeout <duration>',
      'stop after this time, as in 30m; the same command continues from the last commit',
      parseDuration,
    )
    .option('--batch-rows <n>', BATCH_ROWS, wholeNumber(1))
    .option('--memory <size>', 'memory for decoded pages of all windows together (default: 64MB)', parseMemory)
    .option('--json', REPORT_AS_JSON)
    .addOption(logFormat())
    .action(commandHandler(async () => (await import('../commands/sync/backfill.ts')).backfillCommand))

  addCommand(
    sluice,
    'verify',
    'Compare tables with their source: rows that are missing, stale or extra. Runs may go on meanwhile.',
  )
    .argument('<pipeline>', 'a name in pipelines/, a file, or NAME.STREAM for one stream')
    .option('--stream <names...>', 'compare only these streams')
    .option('--account <names...>', ONLY_ACCOUNTS)
    .option('--from <when>', 'compare only a range, window by window: its start, a day or a moment')
    .option('--to <when>', 'with --from: end of the range, not included (default: now)')
    .option('--window <length>', 'with --from: length of a window: 1h, 1d, 1w, 1mo, 1y (default: 1d)')
    .option('--zone <name>', 'with --from: time zone in which a day begins at midnight (default: UTC)')
    .option('--repair', 'put missing and stale rows right by reading again what differs; extra rows stay')
    .option('--json', 'print what was found, as JSON')
    .action(commandHandler(async () => (await import('../commands/sync/verify.ts')).verifyCommand))

  addCommand(sluice, 'demo', 'Try Sluice on this machine: a small API, three streams and an embedded database.')
    .option('--json', REPORT_AS_JSON)
    .action(commandHandler(async () => (await import('../commands/sync/demo.ts')).demoCommand))
}
