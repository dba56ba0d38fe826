import { UsageError } from '../model/errors.ts'
import type { Secrets } from '../model/scope.ts'

/** A shorter value would be found everywhere, and hiding it would spoil what it stands in. */
const MIN_SECRET_LENGTH = 4
/** Tokens come and go in a run of days; the newest are hidden, which are the ones that still open something. */
const MAX_REMEMBERED = 512
const PLACEHOLDER = /\{secret:([^{}]+)\}/g

/** The secrets of an environment: read by name, and hidden again wherever a value that was read turns up. */
export function readSecrets(environment: Readonly<Record<string, string | undefined>>): Secrets {
  const names = new Map<string, string>()
  let found: RegExp | undefined

  const know = (name: string, value: string): void => {
    if (value.length < MIN_SECRET_LENGTH) return
    for (const form of formsOf(value)) {
      if (names.get(form) === name) continue
      names.delete(form)
      names.set(form, name)
      found = undefined
    }
    for (const oldest of names.keys()) {
      if (names.size <= MAX_REMEMBERED) break
      names.delete(oldest)
    }
  }
  const value = (name: string): string => {
    const text = environment[name]
    if (!text) {
      const fault = text === undefined ? 'is not set' : 'is empty'
      throw new UsageError(
        `secret ${name} ${fault}: looked in the environment (the sluice command reads .env into it as well); set ${name} there`,
      )
    }
    know(name, text)
    return text
  }
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
    register: know,
    hide: (hidden) => walk(hidden, hideText),
    reveal: (revealed, only) =>
      walk(revealed, (text) =>
        text.replace(PLACEHOLDER, (mark, name: string) => {
          if (only ? !only.includes(name) : environment[name] === undefined) return mark
          return value(name)
        }),
      ),
  }
}

/** A value as it is, and as it stands in a URL, in a form and in JSON. */
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

/** Every string of a text or of JSON changed, names of members included; what is not JSON stays as it is. */
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
