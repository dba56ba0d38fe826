import { type Command, Option } from 'commander'
import {
  addCommand,
  addGroup,
  append,
  commandHandler,
  ledgerId,
  ONLY_ACCOUNTS,
  parseDuration,
  wholeNumber,
} from './add-command.ts'

const RUN_NUMBER = ledgerId('Give the number of a run, as sluice runs shows it.')

/** Adds the commands that show something and store nothing, such as list, check, preview, diff, status. */
export function addInspectCommands(sluice: Command): void {
  addCommand(sluice, 'probe', 'Ask an API what it is like, and write a pipeline file for it.', {
    verbose: 'with --list: name all that is left out; show the stack of an error',
  })
    .argument('[url]', 'of a list, as in https://api.example/v1/orders?status=open')
    .option('--openapi <file|url>', 'instead of a URL: the description of the API, OpenAPI 3 or Swagger 2.0')
    .option('--auth <how>', 'bearer:VARIABLE, basic:USER:VARIABLE, header:NAME:VARIABLE, query:NAME:VARIABLE', append)
    .option('--header <header>', "sent with each request, as 'Name: value'", append)
    .option('--only <streams>', 'with --openapi: only these lists, with commas (default: all)', append)
    .option('--set <name=value>', 'with --openapi: the value of a parameter, as in owner=octocat', append)
    .option('--list', 'with --openapi: show all lists, and what is left out; write nothing')
    .option('--name <name>', 'of the pipeline (default: by --out, else by the host or the title)')
    .option('--out <file>', 'the file to write (default: pipelines/NAME.ts, or NAME.mts in a project of CommonJS)')
    .option('--force', 'write over an existing file')
    .action(commandHandler(async () => (await import('../commands/inspect/probe.ts')).probeCommand))

  addCommand(sluice, 'list', 'List the pipelines.', { verbose: 'describe each stream; show the stack of an error' })
    .argument('[pipelines...]', 'names or files (default: all of pipelines/)')
    .option('--json', 'print the list as JSON')
    .action(commandHandler(async () => (await import('../commands/inspect/list.ts')).listCommand))

  addCommand(sluice, 'check', 'Check everything that pipelines need: files, secrets, APIs, the database, its tables.')
    .argument('[pipelines...]', 'names, files, or NAME.STREAM (default: all of pipelines/)')
    .option('--account <names...>', ONLY_ACCOUNTS)
    .option('--offline', 'send no request to an API')
    .option('--json', 'print the findings as JSON')
    .action(commandHandler(async () => (await import('../commands/inspect/check.ts')).checkCommand))

  addCommand(sluice, 'doctor', 'Look at everything: pipelines, secrets, server, rights, clocks, tables and the ledger.')
    .argument('[pipelines...]', 'names or files (default: all of pipelines/)')
    .option('--account <names...>', ONLY_ACCOUNTS)
    .option('--json', 'print the findings as JSON')
    .action(commandHandler(async () => (await import('../commands/inspect/doctor.ts')).doctorCommand))

  addCommand(sluice, 'preview', 'Show the first rows of a stream. Needs a database only for tokens and accounts in it.')
    .argument('<stream>', 'PIPELINE.STREAM, or a file with --stream')
    .option('--stream <name>', 'the stream, if a file is given')
    .option('--account <name>', 'the account, if the pipeline has several')
    .option('--limit <n>', 'rows to show', wholeNumber(1), 10)
    .option('--since <value>', 'start from this cursor')
    .option('--type', 'print the TypeScript type of the records as they arrive, instead of rows')
    .option('--json', 'print one row per line, as JSON')
    .action(commandHandler(async () => (await import('../commands/inspect/preview.ts')).previewCommand))

  addCommand(sluice, 'diff', 'Show what the next run would change: rows to insert, to update and to delete.')
    .argument('<pipeline>', 'a name in pipelines/, a file, or NAME.STREAM for one stream')
    .option('--stream <names...>', 'only these streams')
    .option('--account <names...>', ONLY_ACCOUNTS)
    .option('--full', 'what a run with --full would change')
    .option('--json', 'print the changes as JSON')
    .action(commandHandler(async () => (await import('../commands/inspect/diff.ts')).diffCommand))

  addCommand(sluice, 'explain', 'Say what an error code means and what to do. Without a code: list all codes.', {
    database: false,
  })
    .argument('[code]', 'the code in brackets at the end of an error, such as NO_RECORDS')
    .option('--json', 'print it as JSON')
    .action(commandHandler(async () => (await import('../commands/inspect/explain.ts')).explainCommand))

  addCommand(sluice, 'status', 'Show the state of each stream, and its problems: overdue, failed, or reading nothing.')
    .argument('[pipelines...]', 'names, files, or NAME.STREAM (default: all of pipelines/)')
    .option('--account <names...>', ONLY_ACCOUNTS)
    .option(
      '--grace <duration>',
      'report a stream as overdue this long after its scheduled time (default: 5m)',
      parseDuration,
    )
    .option('--json', 'print the state as JSON')
    .action(commandHandler(async () => (await import('../commands/inspect/status.ts')).statusCommand))

  const runs = addGroup(sluice, 'runs', 'List the runs, show the report of one, resume or abandon one.')
  addCommand(runs, 'list', 'List the runs, newest first (the default). With a number: the report of that run.', {
    isDefault: true,
  })
    .argument('[pipeline]', 'only runs of this pipeline; or the number of a run')
    .option('--account <name>', 'only runs of this account of the pipeline')
    .option('--limit <n>', 'runs to list', wholeNumber(1), 20)
    .option('--json', 'print the runs as JSON')
    .action(commandHandler(async () => (await import('../commands/inspect/runs.ts')).runsCommand))
  addCommand(runs, 'resume', 'Start once more what a run has not ended, with its streams and its range.')
    .argument('<run>', 'the number of a run', RUN_NUMBER)
    .option('--why <text>', 'written down')
    .option('--json', 'print the report as JSON')
    .action(commandHandler(async () => (await import('../commands/ledger/runs-resume.ts')).runsResumeCommand))
  addCommand(runs, 'abandon', 'Let the next run begin again, and not go on where this one has stopped.')
    .argument('<run>', 'the number of a run', RUN_NUMBER)
    .option('--why <text>', 'written down')
    .action(commandHandler(async () => (await import('../commands/ledger/runs-resume.ts')).runsAbandonCommand))

  const slices = addGroup(sluice, 'slices', 'List the slices of a stream: what each run has read, from where to where.')
  addCommand(slices, 'list', 'List slices, the newest first (the default).', { isDefault: true })
    .argument('[stream]', 'PIPELINE or PIPELINE.STREAM')
    .option('--run <id>', 'only those of this run', RUN_NUMBER)
    .addOption(new Option('--status <status>', 'only those').choices(['open', 'done', 'failed', 'skipped', 'closed']))
    .option('--limit <n>', 'slices to list', wholeNumber(1), 20)
    .option('--json', 'print the slices as JSON')
    .action(commandHandler(async () => (await import('../commands/ledger/slices-list.ts')).slicesListCommand))
}
