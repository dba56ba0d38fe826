import type { Argument, Command, Option } from 'commander'
import { pipelineNames } from './pipeline-names.ts'

/** What may stand in the place of the last word. */
export interface Suggestions {
  readonly values: readonly Suggestion[]
  /** What else fits there: a file, a folder, or nothing. */
  readonly paths?: 'files' | 'folders'
}

export interface Suggestion {
  readonly value: string
  readonly description: string
}

/** The option or the command that the words before the last one have come to. */
interface Place {
  readonly command: Command
  /** Arguments of the command that are given already. */
  readonly given: number
  /** An option whose value comes next. @default none */
  readonly pending?: Option | undefined
  /** Options end at `--`. */
  readonly isAfterDashes: boolean
}

/**
 * Returns what may stand in the place of the last word of a command line, by the commands, options and choices that the
 * program declares. Words are those after the program's name; the last one is what was typed of it, '' for nothing.
 */
export function suggest(program: Command, words: readonly string[], cwd: string): Suggestions {
  const last = words.at(-1) ?? ''
  const place = words.slice(0, -1).reduce(next, { command: program, given: 0, isAfterDashes: false })
  const { values, paths } = candidates(place, last, cwd)
  return { values: values.filter(({ value }) => value.startsWith(last)), ...(paths && { paths }) }
}

function next(place: Place, word: string): Place {
  const { command, given, pending, isAfterDashes } = place
  if (isAfterDashes) return { ...place, given: given + 1 }
  if (word === '--') return { command, given, isAfterDashes: true }
  if (word.startsWith('-')) {
    const option = command.options.find(({ short, long }) => short === word || long === word)
    return { command, given, isAfterDashes, pending: option && takesValue(option) ? option : undefined }
  }
  // An option of several values takes words up to the next option, as commander reads it.
  if (pending) return pending.variadic ? place : { command, given, isAfterDashes }
  const inner = given === 0 ? visibleCommands(command).find((one) => one.name() === word) : undefined
  if (!inner) return { command, given: given + 1, isAfterDashes }
  // `sluice help rejects`: what is explained is named as it is called.
  return { command: inner.name() === 'help' ? command : inner, given: 0, isAfterDashes }
}

function candidates({ command, given, pending, isAfterDashes }: Place, last: string, cwd: string): Suggestions {
  const isOption = last.startsWith('-') && !isAfterDashes
  if (isOption && last.includes('=')) {
    const flag = last.slice(0, last.indexOf('='))
    const option = command.options.find(({ long }) => long === flag)
    const values = option?.argChoices ?? []
    return { values: values.map((value) => ({ value: `${flag}=${value}`, description: '' })) }
  }
  if (isOption) return { values: command.createHelp().visibleOptions(command).flatMap(optionSuggestion) }
  if (pending) return optionValues(pending)
  const argument = command.registeredArguments[given] ?? command.registeredArguments.at(-1)
  const ofArgument =
    argument && (argument.variadic || given < command.registeredArguments.length) ? argumentValues(argument, cwd) : {}
  const inner = given === 0 ? visibleCommands(command) : []
  return {
    ...ofArgument,
    values: [
      ...inner.map((one) => ({ value: one.name(), description: one.description() })),
      ...(ofArgument.values ?? []),
    ],
  }
}

function optionValues({ argChoices = [], flags }: Option): Suggestions {
  const values = argChoices.map((value) => ({ value, description: '' }))
  const [, name = ''] = /[<[]([^>\]]*)/.exec(flags) ?? []
  if (/\bfile\b/.test(name)) return { values, paths: 'files' }
  return name === 'folder' ? { values, paths: 'folders' } : { values }
}

/** Pipelines are those of the folder `pipelines/`. Their streams are not known before a pipeline is loaded. */
function argumentValues(argument: Argument, cwd: string): Partial<Suggestions> {
  if (argument.argChoices) return { values: argument.argChoices.map((value) => ({ value, description: '' })) }
  const name = argument.name()
  const values = /^(?:pipelines?|stream)$/.test(name)
    ? pipelineNames(cwd).map((value) => ({ value, description: 'pipeline' }))
    : []
  if (/\bfiles?\b/.test(argument.description)) return { values, paths: 'files' }
  return name === 'folder' ? { values, paths: 'folders' } : { values }
}

const optionSuggestion = ({ long, description }: Option): Suggestion[] => (long ? [{ value: long, description }] : [])

const takesValue = ({ required, optional }: Option): boolean => required || optional

const visibleCommands = (command: Command): Command[] => command.createHelp().visibleCommands(command)
