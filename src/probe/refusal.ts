// Why a first request gave no page, and what to do about it.
import { findRecords, isObject } from './find-records.ts'
import type { FoundAuth } from './found.ts'
import type { Answer } from './send.ts'

/** Returns why an answer is no page; undefined if it is one. */
export function refusalOf(answer: Answer, auth: readonly FoundAuth[]): string | undefined {
  const { status, error } = answer
  if (status === 401 || status === 403) return credentialsText(answer, auth)
  if (status >= 400) return `The API answered ${status}${messageText(answer)}. ${remedyOf(status)}`
  if (error !== undefined) return `${error}.`
  if (status >= 300)
    return `The API answered ${status}, a redirect that was not followed. Give the URL that it leads to.`
  if (status === 204 || answer.body === undefined || answer.body === '')
    return `The API answered ${status} without a body. Give the URL of a list.`
  return failureText(answer, auth)
}

/** Some APIs answer 200 to a request that has failed: `{ ok: false, error: 'not_authed' }`. */
function failureText(answer: Answer, auth: readonly FoundAuth[]): string | undefined {
  const { body } = answer
  if (!isObject(body)) return undefined
  const isFailure =
    ['ok', 'success', 'successful'].some((name) => body[name] === false) ||
    (!('id' in body) &&
      ['error', 'errors'].some((name) => isFault(body[name])) &&
      findRecords(body)?.records.shape !== 'list')
  if (!isFailure) return undefined
  const message = messageText(answer)
  return /auth|token|credential|api.?key|login|permission|scope/i.test(message)
    ? credentialsText(answer, auth)
    : `The API answered ${answer.status}, but its body says that the request has failed${message}.`
}

const isFault = (value: unknown): boolean =>
  (typeof value === 'string' && value !== '') ||
  (isObject(value) && Object.keys(value).length > 0) ||
  (Array.isArray(value) && value.length > 0)

function remedyOf(status: number): string {
  if (status === 404) return 'Check the path of the URL.'
  if (status === 429) return 'Too many requests were sent before. Try again later.'
  return status >= 500 ? 'Try again later.' : 'Add the parameters that it needs to the URL.'
}

function credentialsText(answer: Answer, auth: readonly FoundAuth[]): string {
  const { status, headers } = answer
  const said = `The API answered ${status}${messageText(answer)}.`
  if (auth.length > 0) {
    const names = auth.map((one) => checkedOf(one)).join(' and ')
    return `${said} It refused the credentials: check ${names}, and what they may read.`
  }
  const wanted = headers['www-authenticate']
  const asks = wanted === undefined ? '' : ` It asks for: ${wanted}.`
  return `${said}${asks} It needs credentials: ${optionFor(wanted, answer)}.`
}

/** Returns what of some credentials may be wrong. */
function checkedOf(auth: FoundAuth): string {
  switch (auth.type) {
    case 'bearer':
      return auth.token.secret
    case 'basic':
      return `the user ${JSON.stringify(auth.user)} and ${auth.password.secret}`
    case 'header':
    case 'query':
      return auth.value.secret
    case 'client credentials':
      return auth.clientSecret.secret
  }
}

/** Returns the option that fits what the API asks for. */
function optionFor(wanted: string | undefined, answer: Answer): string {
  const scheme = /^\s*([\w-]+)/.exec(wanted ?? '')?.[1]?.toLowerCase()
  if (scheme === 'bearer') return 'set the token as an environment variable, and give --auth bearer:VARIABLE'
  if (scheme === 'basic') return 'set the password as an environment variable, and give --auth basic:USER:VARIABLE'
  const named = /\b(x-[\w-]*(?:key|token)|api[_-]?key)\b/i.exec(messageText(answer))?.[1]
  const key = named === undefined ? '' : `, such as header:${named}:VARIABLE or query:${named}:VARIABLE`
  return `set them as an environment variable, and give --auth (bearer:VARIABLE, basic:USER:VARIABLE, …${key})`
}

/** Returns the message in the body of a failure, as `: the message`. */
function messageText(answer: Answer): string {
  const message = messageOfAnswer(answer)
  return message === undefined ? '' : `: ${message}`
}

/** Returns the message in the body of a failure, without a full stop; undefined if there is none. */
export function messageOfAnswer({ body, text }: Pick<Answer, 'body' | 'text'>): string | undefined {
  const message = messageIn(body, 3) ?? (/^\s*</.test(text) ? '' : text.trim().slice(0, 200))
  return message.replaceAll(/\s+/g, ' ').replace(/\.$/, '').slice(0, 300) || undefined
}

function messageIn(value: unknown, depth: number): string | undefined {
  if (typeof value === 'string') return value
  if (depth === 0) return undefined
  if (Array.isArray(value)) return messageIn(value[0], depth - 1)
  if (!isObject(value)) return undefined
  for (const name of ['message', 'error_description', 'detail', 'error', 'errors', 'title', 'msg', 'description']) {
    const found = value[name] === undefined ? undefined : messageIn(value[name], depth - 1)
    if (found !== undefined && found !== '') return found
  }
  return undefined
}
