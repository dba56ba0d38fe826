import { Command } from 'commander'
import { ownVersion } from '../../observe/package-root.ts'
import { addExamples } from './help-text.ts'
import { addInspectCommands } from './inspect-commands.ts'
import { addLedgerCommands } from './ledger-commands.ts'
import { addServiceCommands } from './service-commands.ts'
import { addStartCommands } from './start-commands.ts'
import { addSyncCommands } from './sync-commands.ts'

/** Returns the program with every command and option. A command's code is loaded when it is called. */
export function program(): Command {
  const sluice = new Command('sluice')
    .description('Keeps tables in PostgreSQL in step with paginated web APIs.')
    .version(ownVersion())
    .showHelpAfterError('(add --help for options and examples)')
    .helpCommand(true)
    .configureHelp({ showGlobalOptions: false })
    // Commander exits with 1 after wrong usage. Here that is 2, because 1 means that the work failed.
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  addExamples(sluice)
  addStartCommands(sluice)
  addSyncCommands(sluice)
  addServiceCommands(sluice)
  addInspectCommands(sluice)
  addLedgerCommands(sluice)
  return sluice
}
