import { readFileSync } from 'node:fs'
import { UsageError } from '../model/errors.ts'
import type { Secrets } from '../model/scope.ts'
import { nearest } from '../value/nearest.ts'
import { messageOf } from '../value/error.ts'

/** Shorter values would match unrelated text. */
const MIN_SECRET_LENGTH = 4
/**
 * A run of days fetches many tokens. Of values that a newer one of the same name has replaced, this many forms are
 * hidden: the older ones have expired.
 */
const MAX_REPLACED = 512
const PLACEHOLDER = /\{secret:([^{}]+)\}/g

/** Returns the secrets of an environment: read by name, and hidden wherever a value that was read appears. */
export function readSecrets(environment: Readonly<Record<string, string | undefined>>): Secrets {
  const names = new Map<string, string>()
  /** The forms of the newest value of each name, which are always hidden. */
  const newest = new Map<string, ReadonlySet<string>>()
  /** Forms of replaced values, the oldest first. */
  const replaced = new Set<string>()
  let found: RegExp | undefined

  const know = (name: string, value: string): void => {
    if (value.length < MIN_SECRET_LENGTH) return
    const forms = formsOf(value)
    for (const form of newest.get(name) ?? []) replaced.add(form)
    newest.set(name, forms)
    for (const form of forms) {
      replaced.delete(form)
      if (names.get(form) === name) continue
      names.set(form, name)
      found = undefined
    }
    for (const oldest of replaced) {
      if (replaced.size <= MAX_REPLACED) break
      replaced.delete(oldest)
      // Another name may have the same value.
      if (!newest.get(names.get(oldest) ?? '')?.has(oldest)) names.delete(oldest)
    }
  }
  const files = new Map<string, string>()
  const value = (name: string): string => {
    const text = environment[name] ?? files.get(name) ?? secretInFile(name, environment)
    if (!text) {
      const problem = text === undefined ? 'is not set' : 'is empty'
      throw new UsageError(
        `secret ${name} ${problem}: looked in the environment (the sluice command reads .env into it as well); ` +
          `set ${name} there, or ${name}_FILE to the path of a file that holds it` +
          (text === undefined ? meantText(name, environment) : ''),
        { explanation: 'MISSING_SECRET' },
      )
    }
    if (environment[name] === undefined) files.set(name, text)
    else if (environment[`${name}_FILE`])
      throw new UsageError(`secret ${name}: both ${name} and ${name}_FILE are set. Keep one of them`)
    know(name, text)
    return text
  }
  const isSet = (name: string): boolean => environment[name] !== undefined || Boolean(environment[`${name}_FILE`])
  const hideText = (text: string): string => {
    if (names.size === 0) return text
    found ??= new RegExp(
      [...names.keys()]
        .toSorted((a, b) => b.length - a.length)
        .map(escaped)
        .join('|'),
      'g',
    )
    return text.replace(found, (form) => `{secret:${names.get(form)}}`)
  }
  return {
    value,
    isSet: (name) => Boolean(environment[name]) || Boolean(environment[`${name}_FILE`]),
    register: know,
    hide: (hidden) => walk(hidden, hideText),
    reveal: (revealed, only) =>
      walk(revealed, (text) =>
        text.replace(PLACEHOLDER, (mark, name: string) => {
          if (only ? !only.includes(name) : !isSet(name)) return mark
          return value(name)
        }),
      ),
  }
}

/** Names the variable that a misspelled one probably means, never its value; '' if none is near. */
function meantText(name: string, environment: Readonly<Record<string, string | undefined>>): string {
  const set = Object.keys(environment).filter((other) => environment[other])
  const near = nearest(
    name,
    set.map((other) => other.replace(/_FILE$/, '')).filter((other) => hasNearWords(name, other)),
  )
  return near === undefined ? '' : `. Did you mean ${near}, which is set?`
}

/** True if each word is near that in its place: `SHOP_WEST_KEY` is that of another account than `SHOP_EAST_KEY`. */
function hasNearWords(name: string, other: string): boolean {
  const [words, others] = [name.split('_'), other.split('_')]
  return (
    words.length === others.length &&
    words.every((word, index) => word === others[index] || nearest(word, [others[index] ?? '']) !== undefined)
  )
}

/**
 * Returns the secret in the file that `NAME_FILE` leads to, as Docker and Kubernetes mount them, without the line break
 * at its end; undefined if there is none.
 */
function secretInFile(name: string, environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const path = environment[`${name}_FILE`]
  if (!path) return undefined
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '')
  } catch (cause) {
    throw new UsageError(`secret ${name}: the file ${path} of ${name}_FILE cannot be read (${messageOf(cause)})`, {
      cause,
    })
  }
}

/** Returns the forms of a value: unchanged, in a URL, in a form and in JSON. */
function formsOf(value: string): Set<string> {
  const encoded = encodeURIComponent(value)
  const form = new URLSearchParams([['', value]]).toString().slice(1)
  return new Set([value, encoded, form, lowerCodes(encoded), lowerCodes(form), JSON.stringify(value).slice(1, -1)])
}

function lowerCodes(text: string): string {
  return text.replace(/%[\dA-F]{2}/g, (code) => code.toLowerCase())
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`)
}

/** Changes every string in a text or in JSON, including member names. Other values stay unchanged. */
function walk<T>(value: T, change: (text: string) => string): T {
  const each = (part: unknown): unknown => {
    if (typeof part === 'string') return change(part)
    if (Array.isArray(part)) return part.map(each)
    if (typeof part !== 'object' || part === null) return part
    const prototype: unknown = Object.getPrototypeOf(part)
    if (prototype !== Object.prototype && prototype !== null) return part
    return Object.fromEntries(Object.entries(part).map(([name, member]) => [change(name), each(member)]))
  }
  return each(value) as T
}
