import type { Command } from 'commander'
import { SHELLS } from '../completion/shells.ts'
import { addCommand, append, commandHandler } from './add-command.ts'

/** Adds the commands with which a project begins: init, completion. */
export function addStartCommands(sluice: Command): void {
  addCommand(sluice, 'init', 'Make a project: a pipeline, its test, settings and scripts. Files that exist are kept.', {
    database: false,
  })
    .argument('[folder]', 'where to make it (default: this folder)')
    .option('--name <name>', "name of the project (default: the folder's)")
    .option('--database <url>', 'embedded, or postgres://user:password@host:5432/database (default: embedded)')
    .option('--from <url>', 'an API whose records the first pipeline reads')
    .option('--auth <how>', 'of this API: bearer:VARIABLE and the other forms of sluice probe', append)
    .option('--header <header>', "sent to this API with each request, as 'Name: value'", append)
    .option('--yes', 'ask nothing on a terminal: take what the options and the defaults say')
    .action(commandHandler(async () => (await import('../commands/start/init.ts')).initCommand))

  const completion = addCommand(sluice, 'completion', 'Print the script that completes commands in a shell on Tab.', {
    database: false,
  })
  // `completion --complete WORD…` is answered in main.ts: commander would take those words for its own.
  completion
    .addArgument(completion.createArgument('<shell>').choices(SHELLS))
    .action(commandHandler(async () => (await import('../commands/start/completion.ts')).completionCommand))
}
