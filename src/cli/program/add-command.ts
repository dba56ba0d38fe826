import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Duration } from '../../model/request.ts'
import { duration } from '../../value/duration.ts'
import { messageOf } from '../../value/error.ts'
import { isPort, MAX_PORT } from '../../value/port.ts'
import { parseSize } from '../../value/size.ts'
import type { CommandContext, CommonOptions } from '../execute-command.ts'
import { resolveOwnPackage } from '../own-package.ts'
import { addExamples } from './help-text.ts'

export interface CommandSettings {
  /** Adds `--database`. @default true */
  readonly database?: boolean
  /** Describes `--verbose`. @default stacks of errors */
  readonly verbose?: string
  /** Its group runs it if no command is named. @default false */
  readonly isDefault?: boolean
}

/** Adds a command with the options that all commands share, and with examples in its help. */
export function addCommand(
  parent: Command,
  name: string,
  description: string,
  { database = true, verbose = 'show the stack of an error, and its cause', isDefault = false }: CommandSettings = {},
): Command {
  const added = parent.command(name, { isDefault }).description(description)
  if (database)
    added.option(
      '--database <url>',
      'postgres://user:password@host:5432/database (default: DATABASE_URL, then an embedded server in .sluice/)',
    )
  added.option('--verbose', verbose)
  addExamples(added)
  return added
}

/** Describes `--account`. */
export const ONLY_ACCOUNTS = 'only these accounts of pipelines that have several'

/** Returns `--log-format`, for commands that print the events of a run. */
export const logFormat = (): Option =>
  new Option('--log-format <format>', 'text for people, or json: each event as a line of JSON, the report last')
    .choices(['text', 'json'])
    .default('text')

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
    await executeCommand(options, async (context) => {
      const command = await load()
      // For pipeline files. Node would call it for each of our own modules, too.
      resolveOwnPackage()
      // The types of a command's arguments and options are declared by the command; commander has none.
      return command(given.slice(0, -2) as never, options as never, context)
    })
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

/** Parses an option that takes a port. */
export function parsePort(text: string): number {
  const port = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN
  if (!isPort(port)) throw new InvalidArgumentError(`Give a port from 0 to ${MAX_PORT}; 0 takes any free one.`)
  return port
}

/** Returns a parser for an option that takes the number that the ledger has given to something. */
export function ledgerId(remedy: string): (text: string) => string {
  return (text) => {
    // More digits would be no bigint of the database.
    if (!/^\d{1,18}$/.test(text)) throw new InvalidArgumentError(remedy)
    return text
  }
}

const parseRejectId = ledgerId('Give the id of a reject, as sluice rejects list shows it.')

/** Collects the ids of rejects that an option names. */
export const rejectIds = (text: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  parseRejectId(text),
]

/** Parses an option that takes a duration, as `30m`. */
export function parseDuration(text: string): Duration {
  try {
    duration(text)
    return text as Duration
  } catch (error) {
    throw new InvalidArgumentError(`${messageOf(error)}.`)
  }
}

/** Parses an option that takes a size, as `64MB`. A number without a unit is megabytes. */
export function parseMemory(text: string): number {
  try {
    return parseSize(/^\d+$/.test(text) ? `${text}MB` : text)
  } catch (error) {
    throw new InvalidArgumentError(`${messageOf(error)}.`)
  }
}

/** Refuses an option's former name with the new one. */
export function addRenamedOption(command: Command, former: string, current: string): Command {
  const flag = `--${former}`
  return command
    .addOption(command.createOption(`${flag} [values...]`).hideHelp())
    .on(`option:${former}`, () => command.error(`error: ${flag} was renamed: write --${current}`))
}

/** Collects the values of an option that may be given several times. */
export const append = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]
