import { UsageError } from '../model/errors.ts'

/** Throws for an option that does not exist, so that a misspelled one is not ignored in silence. */
export function rejectUnknownOptions(place: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new UsageError(`${place}: there is no option ${JSON.stringify(unknown)}. It has ${known.join(', ')}`)
}
