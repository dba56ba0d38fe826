// What an API says about a failure, for the message of the error.
import type { RuleResponse } from '../model/response-rule.ts'
import { redactText } from '../observe/redact.ts'

/** Characters of an answer that a message quotes at most. */
const MAX_QUOTED = 200
/** Names of the member that says what went wrong. */
const NAMES = ['message', 'error_description', 'detail', 'error', 'title', 'reason', 'description']

/**
 * Returns the end of a message with the API's own words, as in `. The API says: "…"`; '' if it says nothing that is
 * known. Secrets are hidden, because a server may quote what it got.
 */
export function saidText({ body, text, headers }: RuleResponse, hide: (text: string) => string): string {
  const isText = headers['content-type']?.startsWith('text/plain') === true
  const said = wordsIn(body) ?? (body === undefined && isText ? text : undefined)
  const line = hide(redactText(said ?? ''))
    .replace(/\s+/g, ' ')
    .trim()
  if (line === '') return ''
  return `. The API says: "${line.length > MAX_QUOTED ? `${line.slice(0, MAX_QUOTED)}…` : line}"`
}

/** Returns the first text under a usual name, one or two levels deep. */
function wordsIn(body: unknown, depth = 3): string | undefined {
  if (typeof body === 'string') return body
  if (typeof body !== 'object' || body === null || depth === 0) return undefined
  if (Array.isArray(body)) return wordsIn(body[0], depth - 1)
  const members = body as Readonly<Record<string, unknown>>
  for (const name of [...NAMES, 'errors']) {
    const said = Object.hasOwn(members, name) ? wordsIn(members[name], depth - 1) : undefined
    if (said !== undefined) return said
  }
  return undefined
}
