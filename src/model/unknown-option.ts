// The one rule for options that do not exist: each word refuses them, so a misspelled one is not ignored in silence.
import { UsageError } from './errors.ts'
import { nearest } from '../value/nearest.ts'

/** The names of options. The compiler compares them with the type, so that none is forgotten. */
export type OptionNames<Options> = { readonly [Name in keyof Options]-?: true }

/**
 * Throws a UsageError for an option that does not exist, with the known one that is nearest. `hints` say what to write
 * in place of a name that belongs elsewhere.
 *
 * @example
 * rejectUnknownOptions('onePage()', { atmost: 5 }, { atMost: true })
 * // onePage(): there is no option "atmost". Did you mean "atMost"?
 */
export function rejectUnknownOptions(
  place: string,
  options: unknown,
  known: Readonly<Record<string, true>> | readonly string[],
  hints: Readonly<Record<string, string>> = {},
): void {
  if (options === undefined) return
  const names = Array.isArray(known) ? (known as readonly string[]) : Object.keys(known)
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new UsageError(
      `${place}: its options must be an object, as in { ${names[0]}: … }, not ${JSON.stringify(options)}`,
    )
  for (const name of Object.keys(options))
    if (!names.includes(name)) throw unknownOption(place, name, names, hints[name])
}

/** Returns the error for an option that does not exist. */
export function unknownOption(place: string, name: string, known: readonly string[], hint?: string): UsageError {
  const near = nearest(name, known)
  const remedy = hint ?? (near === undefined ? '' : `Did you mean ${JSON.stringify(near)}?`)
  const all = known.length === 1 && near !== undefined ? '' : `It has ${known.join(', ')}`
  return new UsageError(
    `${place}: there is no option ${JSON.stringify(name)}. ${[remedy, all].filter(Boolean).join(' ')}`,
    { mark: name, explanation: 'UNKNOWN_OPTION' },
  )
}
