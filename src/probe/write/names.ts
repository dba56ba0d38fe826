// Names of variables and types in a pipeline file, without clashes.

/** Words of TypeScript, and the variables that a file has besides its streams. */
const TAKEN = new Set(
  (
    'api pipeline http path since until secret bearer basic unix body record process undefined ' +
    'break case catch class const continue debugger default delete do else enum export extends false finally for ' +
    'function if import in instanceof new null return super switch this throw true try typeof var void while with ' +
    'as implements interface let package private protected public static yield any boolean number string symbol ' +
    'await async arguments eval'
  ).split(' '),
)
/** Types that a file uses, and those of the language that a record should not hide. */
const TAKEN_TYPES = new Set(['Record', 'Decimal', 'Date', 'Array', 'Object', 'String', 'Number', 'Boolean', 'Promise'])

/** Returns a name for a stream: letters, digits, `-` and `_`. */
export function streamName(text: string): string {
  const name = text
    .replaceAll(/[^A-Za-z0-9_-]+/g, '_')
    .replaceAll(/^[_-]+|[_-]+$/g, '')
    .toLowerCase()
  return name === '' ? 'records' : name
}

/** `work-orders` → `workOrders`. */
export function variableName(text: string, taken: ReadonlySet<string> = new Set()): string {
  const words = wordsOf(text)
  const name = words.map((word, index) => (index === 0 ? word : capitalized(word))).join('')
  const valid = /^[a-z]/i.test(name) ? name : `list${capitalized(name)}`
  return free(TAKEN.has(valid) ? `${valid}List` : valid, (one) => taken.has(one))
}

/** `work-orders` → `WorkOrder`. */
export function typeName(text: string, taken: ReadonlySet<string> = new Set()): string {
  const words = wordsOf(text)
  const name = words.map((word, index) => capitalized(index === words.length - 1 ? singular(word) : word)).join('')
  const valid = /^[A-Z]/i.test(name) ? name : `Record${name}`
  return free(TAKEN_TYPES.has(valid) ? `${valid}Item` : valid, (one) => taken.has(one))
}

/** Returns the singular of a usual English plural; another word as it is. */
export function singular(word: string): string {
  if (/(ss|us|is)$/i.test(word) || word.length < 4) return word
  if (/ies$/i.test(word)) return word.replace(/ies$/i, 'y')
  if (/(sses|shes|ches|xes)$/i.test(word)) return word.replace(/es$/i, '')
  return word.replace(/s$/i, '')
}

const wordsOf = (text: string): string[] =>
  text
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== '')
    .map((word) => word.toLowerCase())

const capitalized = (word: string): string => word.slice(0, 1).toUpperCase() + word.slice(1)

function free(name: string, isTaken: (name: string) => boolean): string {
  for (let number = 1; ; number += 1) {
    const candidate = number === 1 ? name : `${name}${number}`
    if (!isTaken(candidate)) return candidate
  }
}
