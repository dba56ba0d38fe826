import { type Command, InvalidArgumentError } from 'commander'
import type { CommandContext, CommonOptions } from '../execute-command.ts'
import { addExamples } from './help-text.ts'

export interface CommandSettings {
  /** Adds `--database`. @default true */
  readonly database?: boolean
  /** Describes `--verbose`. @default stacks of errors */
  readonly verbose?: string
}

/** Adds a command with the options that all commands share, and with examples in its help. */
export function addCommand(
  parent: Command,
  name: string,
  description: string,
  { database = true, verbose = 'show the stack of an error, and its cause' }: CommandSettings = {},
): Command {
  const added = parent.command(name).description(description)
  if (database)
    added.option(
      '--database <url>',
      'postgres://user:password@host:5432/database (default: DATABASE_URL, then an embedded server in .sluice/)',
    )
  added.option('--verbose', verbose)
  addExamples(added)
  return added
}

/** Adds a command that only holds other commands. */
export function addGroup(parent: Command, name: string, description: string): Command {
  const added = parent.command(name).description(description)
  addExamples(added)
  return added
}

/** Receives the arguments, the options and the context of one call; resolves to the exit code. */
type CommandFunction = (words: never, options: never, context: CommandContext) => Promise<number>

/**
 * Returns an action for commander that loads the command when it is called, so that help needs no engine. Commander
 * passes each argument by itself, then the options, then the command.
 */
export function commandHandler(load: () => Promise<CommandFunction>): (...given: unknown[]) => Promise<void> {
  return async (...given) => {
    const options = given.at(-2) as CommonOptions
    const { executeCommand } = await import('../execute-command.ts')
    await executeCommand(options, async (context) =>
      // The types of a command's arguments and options are declared by the command; commander has none.
      (await load())(given.slice(0, -2) as never, options as never, context),
    )
  }
}

/** Returns a parser for an option that takes a whole number. */
export function wholeNumber(minimum: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN
    if (!(value >= minimum)) throw new InvalidArgumentError(`Give a whole number, at least ${minimum}.`)
    return value
  }
}

/** Refuses an option's former name with the new one. */
export function addRenamedOption(command: Command, former: string, current: string): Command {
  const flag = `--${former}`
  return command
    .addOption(command.createOption(`${flag} [values...]`).hideHelp())
    .on(`option:${former}`, () => command.error(`error: ${flag} was renamed: write --${current}`))
}
