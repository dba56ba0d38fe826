// Names of the pipeline and of its streams.
import { singular, streamName } from '../write/names.ts'
import type { Description } from './description.ts'
import { nodeAt, textAt } from './node.ts'

/** Words of a title that say nothing about whose API it is. */
const EMPTY_WORDS = new RegExp(
  String.raw`\b(the|an?|rest|restful|http|web|public|official|open ?api|swagger|apis?|specification|spec|reference` +
    String.raw`|documentation|docs|v?\d+(\.\d+)*(\.x)?|server|services?|samples?|examples?|simple|platform)\b`,
  'gi',
)
const MAX_WORDS = 2

/** Returns the name of the pipeline: from the title of the API, or else from its host. */
export function pipelineName({ root }: Description, base: string): string {
  const title = textAt(nodeAt(root, 'info'), 'title') ?? ''
  const words = title
    .replaceAll(/\(.*?\)|['’]s\b|\.(io|com|org|net|dev)\b/gi, ' ')
    .replaceAll(EMPTY_WORDS, ' ')
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== '')
  const [host = 'api'] = URL.canParse(base) ? new URL(base).hostname.split('.').slice(-2) : []
  const name = streamName(words.length > 0 ? words.slice(0, MAX_WORDS).join('_') : host)
  return /^[a-z]/.test(name) ? name : `api_${name}`
}

/** Returns the beginning of the names of environment variables. */
export const variablePrefix = (name: string): string => name.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_')

/**
 * Returns a name for each path: its last word, as `posts` of `/v1/users/{id}/posts`. The shortest of several paths with
 * one last word keeps it; the others get words before it, as `user_posts`.
 */
export function streamNames(paths: readonly string[]): Map<string, string> {
  const names = new Map<string, string>()
  const taken = new Set<string>()
  const byLength = paths
    .map((path) => ({ path, words: wordsOf(path) }))
    .toSorted((a, b) => a.words.length - b.words.length)
  for (const { path, words } of byLength) {
    const name = candidates(words).find((one) => !taken.has(one)) ?? `list_${names.size + 1}`
    taken.add(name)
    names.set(path, name)
  }
  return names
}

/** Segments that say nothing about what is listed. */
const EMPTY_SEGMENT = /^(api|rest|v\d+(\.\d+)*|\d+(\.\d+)*|latest|public|json)$/i
/** A last segment that says how, and not what. */
const VERB = /^(find|list|search|get|all|query|index)/i

/** Returns what a path lists: `['user', 'posts']` for `/users/{id}/posts`. */
function wordsOf(path: string): string[] {
  const segments = path.split('/').filter((segment) => segment !== '')
  const words = segments.flatMap((segment, index) => {
    if (segment.includes('{') || EMPTY_SEGMENT.test(segment)) return []
    const word = snake(segment.replace(/\.(json|list|xml)$/i, ''))
    return [segments[index + 1]?.includes('{') ? singular(word) : word]
  })
  return words.length > 0 ? words : ['records']
}

function* candidates(words: readonly string[]): Generator<string> {
  const last = words.at(-1) ?? 'records'
  const least = VERB.test(last) && words.length > 1 ? 2 : 1
  for (let count = least; count <= words.length; count += 1) yield streamName(words.slice(-count).join('_'))
  for (let number = 2; number < 1_000; number += 1) yield streamName(`${words.join('_')}_${number}`)
}

/** `findByStatus` → `find_by_status` */
export const snake = (text: string): string =>
  text
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll(/[^A-Za-z0-9]+/g, '_')
    .toLowerCase()
