// Where in the user's own files an error arose, and how the line there reads.
import { readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SluiceError, UsageError, type Place } from '../model/errors.ts'

/** The folder of our own code: `src/`, or `dist/` once it is compiled. */
const OWN = join(import.meta.dirname, '..') + sep
/** Lines below the call in which a misspelled option is looked for. */
const MAX_LINES_OF_CALL = 40

/** Returns the place in the user's files where an error, or the first of its causes with such a place, was thrown. */
export function placeOf(error: unknown): Place | undefined {
  const seen = new Set<unknown>()
  for (let at: unknown = error; Error.isError(at) && !seen.has(at); at = at.cause) {
    seen.add(at)
    if (at instanceof UsageError && at.place) return at.place
    // The engine has thrown it; its cause may be the user's.
    if ((at instanceof SluiceError && !(at instanceof UsageError)) || isOfLoader(at)) continue
    const place = placeInStack(at.stack ?? '')
    if (place) return at instanceof UsageError && at.mark !== undefined ? markedPlace(place, at.mark) : place
  }
  return undefined
}

/** True for an error of Node's loader: its stack shows who imports the file. */
const isOfLoader = (error: Error): boolean =>
  'code' in error && /^ERR_(?:\w+_TYPESCRIPT_SYNTAX|MODULE_NOT_FOUND)$/.test(String(error.code))

/**
 * Returns the uppermost frame that is the user's, if the user's code has thrown the error or has called the word that
 * threw it. Below the engine, a frame of the user only shows who has called `run()`.
 */
function placeInStack(stack: string): Place | undefined {
  for (const text of stack.split('\n')) {
    const [, path, line, column] = FRAME.exec(text) ?? []
    const file = path === undefined ? undefined : pathOf(path)
    if (file === undefined || file.includes(`${sep}node_modules${sep}`)) continue
    if (!file.startsWith(OWN)) return { file, line: Number(line), column: Number(column) }
    if (!WORDS.test(file.slice(OWN.length))) return undefined
  }
  return undefined
}

/** The folders of the words that the user's code calls, and of what they call. */
const WORDS = /^(?:define|entry|model|value)[/\\]/

const FRAME = /^\s+at (?!async )(?:.*\()?((?:file:|[/\\]|[A-Z]:\\).*?):(\d+):(\d+)\)?$/

function pathOf(text: string): string | undefined {
  // An import that is made anew has a query.
  const bare = text.replace(/\?[^/]*$/, '')
  if (!bare.startsWith('file:')) return bare
  return URL.canParse(bare) ? fileURLToPath(bare) : undefined
}

/** Returns the place of a name in the call at a place, or that of the call. */
function markedPlace(place: Place, mark: string): Place {
  const name = new RegExp(String.raw`(?<![\w$.])${mark.replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)}(?![\w$])`)
  const from = place.line - 1
  for (const [index, text] of linesOf(place.file)
    .slice(from, from + MAX_LINES_OF_CALL)
    .entries()) {
    const skipped = index === 0 ? (place.column ?? 1) - 1 : 0
    const found = name.exec(text.slice(skipped))
    if (found) return { file: place.file, line: place.line + index, column: skipped + found.index + 1 }
  }
  return place
}

/** Returns a place for messages, as `pipelines/shop.ts:9:3`. */
export function placeText({ file, line, column }: Place, cwd: string): string {
  const near = relative(cwd, file)
  const shown = near === '' || near.startsWith('..') ? file : near
  return `${shown}:${line}${column === undefined ? '' : `:${column}`}`
}

/**
 * Returns the line of a place, with its number, the line before it and a mark below the column. Undefined if the file
 * cannot be read.
 */
export function excerptOf({ file, line, column }: Place): string | undefined {
  const lines = linesOf(file)
  const text = lines[line - 1]
  if (text === undefined) return undefined
  const width = String(line).length
  const numbered = (number: number, content: string): string =>
    `  ${String(number).padStart(width)} | ${content}`.trimEnd()
  const before = lines[line - 2]
  return [
    ...(before?.trim() ? [numbered(line - 1, before)] : []),
    numbered(line, text),
    ...(column === undefined ? [] : [`  ${' '.repeat(width)} | ${indentOf(text, column)}^`]),
  ].join('\n')
}

/** Tabs stay tabs, so that the mark stands below its column. */
const indentOf = (text: string, column: number): string => text.slice(0, column - 1).replace(/[^\t]/g, ' ')

function linesOf(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/)
  } catch {
    return []
  }
}
