import { UsageError } from '../../model/errors.ts'
import { Decimal } from '../../value/decimal.ts'
import { parseJson } from '../../value/json/parse-json.ts'
import { variablePart } from './variable-name.ts'

/** One account as its source has it. */
export interface AccountData {
  readonly name: string
  /** Its values by the part of the variable's name that they stand for, such as `TOKEN`. */
  readonly members: ReadonlyMap<string, string>
}

/**
 * Reads accounts from text: a list of names (`north, south`), or JSON: a list of names or of objects with a `name`, or
 * an object with a member for each account. Messages do not quote the text, because it may hold secrets.
 */
export function parseAccounts(text: string, place: string): AccountData[] {
  const trimmed = text.trim()
  if (!/^[[{]/.test(trimmed)) {
    const names = trimmed.split(/[,\n]/).map((name) => name.trim())
    return provenAccounts(
      names.filter((name) => name !== '').map((name) => ({ name })),
      place,
    )
  }
  let json: unknown
  try {
    json = parseJson(trimmed)
  } catch {
    const where = placeOfFault(trimmed)
    throw new UsageError(
      `${place}: it begins like JSON and is not JSON${where}. Correct it, or list names: north,south`,
    )
  }
  // The parser keeps only the last of two members of one name.
  const names = trimmed.startsWith('{') ? memberNames(trimmed) : []
  const twice = names.find((name, index) => names.indexOf(name) < index)
  if (twice !== undefined) throw new UsageError(`${place}: there are two accounts ${twice}. Remove one of them`)
  return provenAccounts(json, place)
}

/** Returns where JSON is wrong. The error of the parser is not quoted, because it quotes the text. */
function placeOfFault(text: string): string {
  try {
    JSON.parse(text)
    return ''
  } catch (error) {
    const [, at] = /at position (\d+)/.exec(String(error)) ?? []
    const before = text.slice(0, at === undefined ? text.length : Number(at)).split('\n')
    return ` (line ${before.length}, column ${(before.at(-1) ?? '').length + 1})`
  }
}

/** Returns the names of the members of a JSON object, each as often as it stands there. */
function memberNames(text: string): string[] {
  const names: string[] = []
  let depth = 0
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"\s*:?|[{}[\]]/g)) {
    if (token === '{' || token === '[') depth += 1
    else if (token === '}' || token === ']') depth -= 1
    else if (depth === 1 && token.endsWith(':')) names.push(JSON.parse(token.slice(0, -1)) as string)
  }
  return names
}

/** Reads accounts from JSON values or from the rows of a query. Throws for names that are missing, wrong or double. */
export function provenAccounts(json: unknown, place: string): AccountData[] {
  const found = entriesOf(json, place).map(([name, members]) => accountData(name, members, place))
  if (found.length === 0)
    throw new UsageError(`${place}: there is no account. Name at least one, such as north, or remove the pipeline`)
  const byVariable = new Map<string, string>()
  for (const { name } of found) {
    const part = variablePart(name)
    const other = byVariable.get(part)
    if (other === name) throw new UsageError(`${place}: there are two accounts ${name}. Remove one of them`)
    if (other !== undefined)
      throw new UsageError(
        `${place}: the accounts ${other} and ${name} would share their variables (${part}). Rename one of them`,
      )
    byVariable.set(part, name)
  }
  return found
}

type Entry = readonly [name: unknown, members: object]

function entriesOf(json: unknown, place: string): Entry[] {
  if (Array.isArray(json))
    return json.map((one: unknown, index): Entry => {
      if (typeof one === 'string') return [one, {}]
      if (typeof one !== 'object' || one === null || !('name' in one))
        throw new UsageError(`${place}: account ${index + 1} has no name. Give each a member or column 'name'`)
      const { name, ...members } = one
      return [name, members]
    })
  if (typeof json === 'object' && json !== null)
    return Object.entries(json).map(([name, members]: [string, unknown]): Entry => {
      if (typeof members === 'object' && members !== null && !Array.isArray(members)) return [name, members]
      throw new UsageError(`${place}: the account ${JSON.stringify(name)} must be an object with its values`)
    })
  throw new UsageError(`${place}: expected a list of accounts, or an object with a member for each`)
}

function accountData(given: unknown, members: object, place: string): AccountData {
  const name = typeof given === 'number' || typeof given === 'bigint' ? String(given) : given
  if (typeof name !== 'string' || !NAME.test(name))
    throw new UsageError(
      `${place}: ${typeof name === 'string' ? JSON.stringify(name) : `a name of type ${typeof name}`} is no name of ` +
        "an account. Names consist of small letters, digits, '-' and '_', begin with a letter or a digit, and have " +
        'at most 63 characters',
    )
  const values = new Map<string, string>()
  for (const [member, value] of Object.entries(members) as [string, unknown][]) {
    if (value === null || value === undefined) continue
    const text = textOf(value)
    if (text === undefined)
      throw new UsageError(`${place}: the member ${member} of ${name} must be text, a number or true or false`)
    const part = variablePart(member)
    if (values.has(part))
      throw new UsageError(`${place}: two members of ${name} mean ${part}, one of them ${member}. Remove one`)
    values.set(part, text)
  }
  return { name, members: values }
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  return value instanceof Decimal ? value.text : undefined
}

const NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/
