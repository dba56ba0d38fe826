import { basename } from 'node:path'
import { UsageError } from '../../model/errors.ts'
import { defined } from '../../value/defined.ts'
import { portProblem } from '../../value/port.ts'
import { openAsker, type Asker } from './ask.ts'

/** What a new project is made of. */
export interface Answers {
  readonly name: string
  /** The address of a database; undefined is the embedded PostgreSQL. */
  readonly database: string | undefined
  /** The address of an API to begin with. */
  readonly from: string | undefined
}

/** The options of the command, as they were given. */
export interface GivenAnswers {
  readonly name?: string
  readonly database?: string
  readonly from?: string
}

interface AskOptions {
  readonly asks: boolean
  /** The project's file `.env` says where its database is. */
  readonly hasDatabase: boolean
  readonly signal: AbortSignal
}

/** Checks the options that were given. On a terminal, asks for the others; elsewhere, takes what is suggested. */
export async function answersOf(
  folder: string,
  given: GivenAnswers,
  { asks, hasDatabase, signal }: AskOptions,
): Promise<Answers> {
  const known = defined({
    name: given.name === undefined ? undefined : parseName(given.name),
    database: given.database === undefined ? undefined : { url: parseDatabase(given.database) },
    from: given.from === undefined ? undefined : { url: parseUrl(given.from) },
  })
  if (!asks) return { name: known.name ?? suggestedName(folder), database: known.database?.url, from: known.from?.url }
  using asker = openAsker(signal)
  return {
    name: known.name ?? (await asker.ask({ text: 'Name', suggestion: suggestedName(folder), parse: parseName })),
    database: known.database || hasDatabase ? known.database?.url : await askDatabase(asker),
    from: known.from ? known.from.url : await askFrom(asker),
  }
}

const EMBEDDED = 'embedded'
const NONE = 'none'

const askDatabase = (asker: Asker): Promise<string | undefined> =>
  asker.ask({
    text: 'Database: embedded, or postgres://user:password@host/database',
    suggestion: EMBEDDED,
    parse: parseDatabase,
  })

const askFrom = (asker: Asker): Promise<string | undefined> =>
  asker.ask({ text: 'URL of an API to begin with', suggestion: NONE, parse: (text) => parseUrl(text) })

/** Returns the folder's name in the characters of a project's name. */
function suggestedName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^[-\d]+|-+$/g, '')
  return name === '' ? 'warehouse' : name
}

function parseName(text: string): string {
  if (/^[a-z][a-z0-9_-]*$/.test(text) && text.length <= 63) return text
  throw new UsageError(
    `The name ${JSON.stringify(text)} must begin with a letter and consist of lower-case letters, digits, '-' and '_'`,
  )
}

function parseDatabase(text: string): string | undefined {
  if (text === EMBEDDED) return undefined
  if (/^postgres(?:ql)?:\/\/\S+$/.test(text) && portProblem(text) === '') return text
  throw new UsageError(
    `This is no address of a database${portProblem(text)}. ` +
      `Give "${EMBEDDED}", or an address as postgres://user:password@host:5432/database`,
  )
}

function parseUrl(text: string): string | undefined {
  if (text === NONE) return undefined
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return text
  throw new UsageError(
    `${JSON.stringify(text)} is no address of an API${portProblem(text)}. Give one as https://api.example.com/orders`,
  )
}
