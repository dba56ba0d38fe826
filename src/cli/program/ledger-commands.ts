import type { Command } from 'commander'
import { addCommand, addGroup, commandHandler, ledgerId, rejectIds, wholeNumber } from './add-command.ts'

/** Adds the commands that work on the database, from pause to sql. */
export function addLedgerCommands(sluice: Command): void {
  addCommand(sluice, 'pause', 'Read pipelines or streams no longer, until they are continued.')
    .argument('<names...>', 'PIPELINE, PIPELINE.STREAM, or PIPELINE@ACCOUNT')
    .option('--why <text>', 'shown to everybody who meets the pause')
    .action(commandHandler(async () => (await import('../commands/ledger/pause.ts')).pauseCommand))
  addCommand(sluice, 'continue', 'End pauses; that of a pipeline with those of its streams.')
    .argument('<names...>', 'PIPELINE, PIPELINE.STREAM, or PIPELINE@ACCOUNT')
    .option('--why <text>', 'written down')
    .action(commandHandler(async () => (await import('../commands/ledger/pause.ts')).continueCommand))
  addCommand(sluice, 'cancel', 'Ask a run to stop, in whichever process it is. Complete batches are committed.')
    .argument('<run>', 'the number of a run', ledgerId('Give the number of a run, as sluice runs shows it.'))
    .option('--why <text>', 'written down')
    .action(commandHandler(async () => (await import('../commands/ledger/cancel.ts')).cancelCommand))

  const rejects = addGroup(sluice, 'rejects', 'List records that could not be stored, and store or drop them.')
  addCommand(rejects, 'list', 'List the records that could not be stored, each with its reason.')
    .argument('[stream]', 'PIPELINE or PIPELINE.STREAM')
    .option('--run <id>', 'only rejects of this run', ledgerId('Give the number of a run, as sluice runs shows it.'))
    .option('--all', 'include rejects that were replayed, stored or rejected again since, or dropped')
    .option('--limit <n>', 'rejects to list, oldest first', wholeNumber(1), 50)
    .option('--json', 'print one reject per line, as JSON, with the whole record')
    .action(commandHandler(async () => (await import('../commands/ledger/rejects-list.ts')).rejectsListCommand))
  addCommand(rejects, 'replay', 'Send rejected records through their stages and into their table again.')
    .argument('<stream>', 'PIPELINE, PIPELINE.STREAM, or a file')
    .option('--stream <names...>', 'only these streams')
    .option('--account <name>', 'the account, if the pipeline has several')
    .option('--id <ids...>', 'only these rejects', rejectIds)
    .option('--overwrite', 'replace a stored row with the same key if no version says which one is newer')
    .option('--json', 'print the report as JSON')
    .action(commandHandler(async () => (await import('../commands/ledger/rejects-replay.ts')).rejectsReplayCommand))
  addCommand(rejects, 'drop', 'Settle rejects by hand: they are listed and replayed no longer.')
    .argument('<stream>', 'PIPELINE or PIPELINE.STREAM')
    .option('--id <ids...>', 'only these rejects', rejectIds)
    .action(commandHandler(async () => (await import('../commands/ledger/rejects-drop.ts')).rejectsDropCommand))

  addCommand(sluice, 'undelete', 'Put back rows that were deleted because their records no longer exist.')
    .argument('<stream>', 'PIPELINE.STREAM, or PIPELINE for all its streams')
    .option('--since <when>', 'only rows deleted since then: 2h or 3d ago, or a moment as 2024-01-31T12:00:00Z')
    .option('--run <id>', 'only rows that this run has deleted')
    .option('--dry-run', 'put nothing back, and count what would be')
    .option('--json', 'print the counts as JSON')
    .action(commandHandler(async () => (await import('../commands/ledger/undelete.ts')).undeleteCommand))

  const cursor = addGroup(
    sluice,
    'cursor',
    'Show, set, reset or move the cursor of a stream: how far it has been read.',
  )
  addCommand(cursor, 'show', 'Show the cursors of streams.')
    .argument('[stream]', 'PIPELINE or PIPELINE.STREAM')
    .option('--json', 'print the cursors as JSON')
    .action(commandHandler(async () => (await import('../commands/ledger/cursor-show.ts')).cursorShowCommand))
  addCommand(cursor, 'set', 'Set a cursor: the next run reads from there.')
    .argument('<stream>', 'PIPELINE.STREAM')
    .argument('<value>', 'as the API writes it')
    .option('--why <text>', 'written down')
    .action(commandHandler(async () => (await import('../commands/ledger/cursor-set.ts')).cursorSetCommand))
  addCommand(cursor, 'reset', 'Remove cursors: the next run reads from the start. Stored rows stay.')
    .argument('<stream>', 'PIPELINE or PIPELINE.STREAM')
    .option('--stream <names...>', 'only these streams')
    .option('--why <text>', 'written down')
    .action(commandHandler(async () => (await import('../commands/ledger/cursor-reset.ts')).cursorResetCommand))
  addCommand(cursor, 'export', 'Print cursors as JSON, for another ledger.')
    .argument('[stream]', 'PIPELINE or PIPELINE.STREAM (default: all)')
    .action(commandHandler(async () => (await import('../commands/ledger/cursor-export.ts')).cursorExportCommand))
  addCommand(cursor, 'import', 'Set cursors from an export on stdin, if each fits its stream.')
    .option('--dry-run', 'set nothing, and show what would be set')
    .option('--why <text>', 'written down')
    .action(commandHandler(async () => (await import('../commands/ledger/cursor-import.ts')).cursorImportCommand))

  const limits = addGroup(sluice, 'limits', 'Show what APIs have asked to wait for, and lift such waits.')
  addCommand(limits, 'list', 'List the APIs and paths that have asked to wait, and until when (the default).', {
    isDefault: true,
  })
    .option('--json', 'print the waits as JSON')
    .action(commandHandler(async () => (await import('../commands/ledger/limits-list.ts')).limitsListCommand))
  addCommand(limits, 'clear', 'Lift waits, for all processes: the next request is sent at once.')
    .argument(
      '[place]',
      "the origin of an API, a path, both, or as 'GET /users'; a path includes those below it (default: all)",
    )
    .action(commandHandler(async () => (await import('../commands/ledger/limits-clear.ts')).limitsClearCommand))

  addCommand(sluice, 'prune', 'Remove what is old and needed no longer from the ledger. Runs do this by themselves.')
    .option('--dry-run', 'remove nothing, and count what would be removed')
    .option('--json', 'print the counts as JSON')
    .action(commandHandler(async () => (await import('../commands/ledger/prune.ts')).pruneCommand))

  addCommand(sluice, 'migrate', 'Update the schema sluice in the database. Every run does this by itself.')
    .option('--grant <role>', 'print the grants that let a role run pipelines that may not create schemas')
    .option('--schema <names...>', "with --grant: schemas of the pipelines' tables")
    .option('--apply', 'with --grant: update schema sluice and run the grants')
    .action(commandHandler(async () => (await import('../commands/ledger/migrate.ts')).migrateCommand))

  addCommand(sluice, 'sql', 'Run SQL, read-only unless --write is given. Useful without psql.')
    .argument('<statements>', 'one or several statements, in quotes')
    .option('--write', 'allow statements to change data')
    .option('--json', 'print one row per line, as JSON')
    .action(commandHandler(async () => (await import('../commands/ledger/sql.ts')).sqlCommand))
}
