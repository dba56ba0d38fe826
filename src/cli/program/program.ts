import { Command, InvalidArgumentError, Option } from 'commander'
import { ownVersion } from '../../observe/package-root.ts'
import type { CommonOptions, CommandContext } from '../execute-command.ts'
import { addExamples } from './help-examples.ts'

/** Every command and option. What a command does is loaded when it is called, so that help comes at once. */
export function program(): Command {
  const sluice = new Command('sluice')
    .description('Keeps tables in PostgreSQL in step with paginated web APIs.')
    .version(ownVersion())
    .showHelpAfterError('(add --help for options and examples)')
    .helpCommand(true)
    .configureHelp({ showGlobalOptions: false })
    // Commander ends with 1 where it was called wrongly; that is 2 here, since 1 means that the work itself failed.
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  addExamples(sluice)

  command(sluice, 'run', 'Bring the tables of pipelines up to date.')
    .argument('[pipelines...]', 'names in pipelines/, files, or NAME.STREAM for one stream; none: all of pipelines/')
    .option('--stream <names...>', 'only these streams')
    .option(
      '--full',
      'read from the very beginning: the cursor is left out of account, and an interrupted reading begins anew',
    )
    .option('--dry-run', 'read and show, write nothing')
    .option('--limit <n>', 'with --dry-run: stop after so many rows of each stream', wholeNumber(1))
    .option(
      '--timeout <duration>',
      'end after so long, as in 30m; what is whole is committed, and the next run goes on',
    )
    .addOption(
      new Option('--overlap <what>', 'where another run reads the same stream')
        .choices(['skip', 'wait', 'fail'])
        .default('fail'),
    )
    .option('--batch-rows <n>', 'rows that one transaction stores at most (10,000)', wholeNumber(1))
    .option('--concurrency <n>', 'streams that are read at once (8)', wholeNumber(1))
    .option('--memory <megabytes>', 'decoded pages held at once, by all streams (64)', wholeNumber(1))
    .option('--json', 'print the report as JSON, and nothing else')
    .option(
      '--quiet',
      'one line for each pipeline, and nothing else: on stdout where it is done, on stderr where it is not',
    )
    .option(
      '--summary-file <file>',
      'write exit code, reports and errors into a file as JSON, also where the run failed',
    )
    .action(commandHandler(async () => (await import('../commands/run.ts')).runCommand))

  command(
    sluice,
    'backfill',
    'Read a range of a stream again, window by window, several at once. Its cursor stays where it is.',
  )
    .argument('<stream>', 'PIPELINE.STREAM; PIPELINE for all its streams that can be read in windows; or a file')
    .option('--stream <name>', 'only this stream')
    .requiredOption('--from <when>', 'where the range begins: a day, or a moment as 2024-01-31T12:00:00Z')
    .requiredOption('--to <when>', 'where it ends; not included')
    .option('--window <length>', 'of a window: 1h, 1d, 1w, 1mo, 1y, or several of one', '1d')
    .option('--zone <name>', 'whose calendar says when a day begins, as Europe/Berlin', 'UTC')
    .option('--concurrency <n>', 'windows that are read at once (4)', wholeNumber(1))
    .addOption(
      new Option('--only <which>', 'windows to read; without it: all that are not done').choices([
        'missing',
        'failed',
        'all',
      ]),
    )
    .option('--dry-run', 'show the windows to read; ask nothing, write nothing')
    .option(
      '--timeout <duration>',
      'end after so long, as in 30m; what is whole is committed, and the same words go on',
    )
    .option('--batch-rows <n>', 'rows that one transaction stores at most (10,000)', wholeNumber(1))
    .option('--memory <megabytes>', 'decoded pages held at once, by all windows (64)', wholeNumber(1))
    .option('--json', 'print the report as JSON, and nothing else')
    .action(commandHandler(async () => (await import('../commands/backfill.ts')).backfillCommand))

  command(
    sluice,
    'schedule',
    'Run pipelines at the times that they name, until it is stopped; or print files for another scheduler.',
  )
    .argument('[pipelines...]', 'names or files; none: all of pipelines/ that have a schedule')
    .addOption(
      new Option(
        '--catch-up <which>',
        'ticks that were missed while nothing ran (what each pipeline says, else last)',
      ).choices(['all', 'last', 'none']),
    )
    .addOption(
      new Option(
        '--overlap <what>',
        'where the pipeline is still running at a tick (what each pipeline says, else skip)',
      ).choices(['skip', 'wait', 'fail']),
    )
    .option('--timeout <duration>', 'end a run after so long, as in 30m; the next one goes on (printed files: 6h)')
    .option('--concurrency <n>', 'pipelines that run at once (4)', wholeNumber(1))
    .addOption(
      new Option('--print <scheduler>', 'print complete files for another scheduler, and run nothing').choices([
        'crontab',
        'systemd',
        'kubernetes',
      ]),
    )
    .option('--into <folder>', 'with --print: write the files there')
    .option('--image <name>', 'with --print kubernetes: the image of the containers (sluice:latest)')
    .option('--json', 'one line of JSON for each event on a terminal, too')
    .action(commandHandler(async () => (await import('../commands/schedule.ts')).scheduleCommand))

  command(
    sluice,
    'serve',
    'Show what runs and what has run, live, as a page and an API; start, cancel and repeat runs from there.',
  )
    .argument('[pipelines...]', 'names or files; none: all of pipelines/')
    .addOption(new Option('--port <n>', '0 takes any that is free').argParser(wholeNumber(0)).default(8420))
    .addOption(new Option('--host <address>', "others than this machine's own need a token").default('127.0.0.1'))
    .option('--allow-host <names...>', 'names by which others reach it, as behind a proxy')
    .option('--token-from <name>', 'the variable of the environment that holds the token (SLUICE_TOKEN)')
    .option('--schedule', 'run the pipelines that have a schedule as well')
    .action(commandHandler(async () => (await import('../commands/serve.ts')).serveCommand))

  command(sluice, 'list', 'Show the pipelines that there are.')
    .argument('[pipelines...]', 'names or files; none: all of pipelines/')
    .option('--json', 'print them as JSON')
    .action(commandHandler(async () => (await import('../commands/list.ts')).listCommand))

  command(
    sluice,
    'check',
    'Look whether everything that pipelines need is in order: files, secrets, APIs, the database, its tables.',
  )
    .argument('[pipelines...]', 'names, files, or NAME.STREAM; none: all of pipelines/')
    .option('--offline', 'ask no API')
    .option('--json', 'print what was found as JSON')
    .action(commandHandler(async () => (await import('../commands/check.ts')).checkCommand))

  command(sluice, 'preview', 'Show the first rows of a stream as they would be stored. No database is needed.', {
    database: false,
  })
    .argument('<stream>', 'PIPELINE.STREAM, or a file with --stream')
    .option('--stream <name>', 'the stream, where a file is given')
    .option('--limit <n>', 'rows to show', wholeNumber(1), 10)
    .option('--since <value>', 'read from this cursor on')
    .option('--json', 'print one row of JSON per line')
    .action(commandHandler(async () => (await import('../commands/preview.ts')).previewCommand))

  command(
    sluice,
    'status',
    'Show how each stream is, and what is wrong: what is overdue, has failed, or reads nothing any more.',
  )
    .argument('[pipelines...]', 'names, files, or NAME.STREAM; none: all of pipelines/')
    .option('--grace <duration>', 'how long after a tick of its schedule a stream may not have been read yet (5m)')
    .option('--json', 'print it as JSON')
    .action(commandHandler(async () => (await import('../commands/status.ts')).statusCommand))

  command(sluice, 'runs', 'Show what has run, the newest first; with a number, the report of that run.')
    .argument('[pipeline]', 'only runs of this pipeline; or the number of a run')
    .option('--limit <n>', 'how many', wholeNumber(1), 20)
    .option('--json', 'print them as JSON')
    .action(commandHandler(async () => (await import('../commands/runs.ts')).runsCommand))

  const rejects = sluice
    .command('rejects')
    .description('Records that could not be stored: show them, or store them after the fault was mended.')
  addExamples(rejects)
  command(rejects, 'list', 'Show the records that could not be stored, with the reason.')
    .argument('[stream]', 'PIPELINE or PIPELINE.STREAM')
    .option('--run <id>', 'only those of this run')
    .option('--all', 'those that were replayed too')
    .option('--limit <n>', 'how many, the oldest first', wholeNumber(1), 50)
    .option('--json', 'print one reject of JSON per line, with the whole record')
    .action(commandHandler(async () => (await import('../commands/rejects/rejects-list.ts')).rejectsListCommand))
  command(rejects, 'replay', 'Send rejected records through their stages and into their table again.')
    .argument('<stream>', 'PIPELINE, PIPELINE.STREAM, or a file')
    .option('--stream <names...>', 'only these streams')
    .option('--id <ids...>', 'only these rejects')
    .option('--overwrite', 'where nothing says which row is newer: replace rows that are there by now')
    .option('--json', 'print the report as JSON')
    .action(commandHandler(async () => (await import('../commands/rejects/rejects-replay.ts')).rejectsReplayCommand))

  const cursor = sluice.command('cursor').description('How far streams have come: show it, set it, or forget it.')
  addExamples(cursor)
  command(cursor, 'show', 'Show how far streams have come.')
    .argument('[stream]', 'PIPELINE or PIPELINE.STREAM')
    .option('--json', 'print them as JSON')
    .action(commandHandler(async () => (await import('../commands/cursor/cursor-show.ts')).cursorShowCommand))
  command(cursor, 'set', 'Let the next run read on from another value.')
    .argument('<stream>', 'PIPELINE.STREAM')
    .argument('<value>', 'as the API writes it')
    .action(commandHandler(async () => (await import('../commands/cursor/cursor-set.ts')).cursorSetCommand))
  command(cursor, 'reset', 'Forget how far streams have come: the next run reads from the very beginning. Rows stay.')
    .argument('<stream>', 'PIPELINE or PIPELINE.STREAM')
    .option('--stream <names...>', 'only these streams')
    .action(commandHandler(async () => (await import('../commands/cursor/cursor-reset.ts')).cursorResetCommand))

  command(sluice, 'migrate', 'Bring schema sluice up to date. Every run does so by itself.').action(
    commandHandler(async () => (await import('../commands/migrate.ts')).migrateCommand),
  )

  command(sluice, 'sql', 'Ask the database, read-only unless told otherwise: the embedded one comes without psql.')
    .argument('<statements>', 'one or several, in quotes')
    .option('--write', 'let statements change something')
    .option('--json', 'print one row of JSON per line')
    .action(commandHandler(async () => (await import('../commands/sql.ts')).sqlCommand))

  command(
    sluice,
    'demo',
    'Try Sluice without an account: an API on this machine, three streams, a database that brings itself.',
  )
    .option('--json', 'print the report as JSON, and nothing else')
    .action(commandHandler(async () => (await import('../commands/demo.ts')).demoCommand))

  return sluice
}

/** A command with the options that all share, and examples in its help. */
function command(parent: Command, name: string, description: string, { database = true } = {}): Command {
  const made = parent.command(name).description(description)
  if (database)
    made.option(
      '--database <url>',
      'postgres://user:password@host:5432/database (DATABASE_URL, else an embedded one in .sluice/)',
    )
  made.option(
    '--verbose',
    name === 'list'
      ? 'say what each stream would do; where a fault was thrown'
      : 'show where a fault was thrown, and what was underneath',
  )
  addExamples(made)
  return made
}

/** The arguments that a command was given, its options, and what it needs to act. */
type CommandFunction = (words: never, options: never, context: CommandContext) => Promise<number>

/** Commander hands over each argument by itself, then options, then the command. */
function commandHandler(load: () => Promise<CommandFunction>): (...given: unknown[]) => Promise<void> {
  return async (...given) => {
    const options = given.at(-2) as CommonOptions
    const { executeCommand: act } = await import('../execute-command.ts')
    await act(options, async (context) => (await load())(given.slice(0, -2) as never, options as never, context))
  }
}

function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN
    if (!(value >= least)) throw new InvalidArgumentError(`Give a whole number from ${least} up.`)
    return value
  }
}
