// Reads the description of an API from a file or a URL.
import { readFile } from 'node:fs/promises'
import { EnvHttpProxyAgent, fetch } from 'undici'
import { proxiesOf } from '../../http/connections.ts'
import { UsageError } from '../../model/errors.ts'
import { redactUrl } from '../../observe/redact.ts'
import { messageOf } from '../../value/error.ts'
import { Description } from './description.ts'
import { isNode, nodeAt, textAt, type Node } from './node.ts'

/** GitHub's description has 13 MB. */
const MAX_BYTES = 100 * 1_024 * 1_024
const MAX_MS = 60_000

/**
 * Reads a description: JSON or YAML, OpenAPI 3 or Swagger 2.0. Throws a `UsageError` for anything else.
 *
 * @example
 * const description = await loadDescription('https://api.example/openapi.json', { signal })
 */
export async function loadDescription(place: string, { signal }: { signal: AbortSignal }): Promise<Description> {
  const text = isUrl(place) ? await textOfUrl(place, signal) : await textOfFile(place, signal)
  return descriptionIn(text, place)
}

/** A key in the query of a URL is not shown. */
async function descriptionIn(text: string, from: string): Promise<Description> {
  const place = redactUrl(from)
  const root = await parsed(text, place)
  if (!isNode(root)) throw notADescription(place, 'it is no object')
  const version = versionOf(root)
  if (version === undefined) throw notADescription(place, "it has neither a member 'openapi' nor a member 'swagger'")
  if (!/^3\.|^2\.0/.test(version))
    throw new UsageError(`${place}: Sluice reads OpenAPI 3.0 and 3.1 and Swagger 2.0, and this is ${version}`)
  if (Object.keys(nodeAt(root, 'paths')).length === 0)
    throw new UsageError(`${place}: the description has no paths, so there is nothing to read`)
  return new Description(root, from)
}

export const isUrl = (place: string): boolean => /^https?:\/\//i.test(place)

/** YAML reads `swagger: 2.0` as a number. */
function versionOf(root: Node): string | undefined {
  const given = root['openapi'] ?? root['swagger']
  return typeof given === 'number' ? given.toFixed(1) : (textAt(root, 'openapi') ?? textAt(root, 'swagger'))
}

async function textOfFile(file: string, signal: AbortSignal): Promise<string> {
  try {
    return await readFile(file, { encoding: 'utf8', signal })
  } catch (error) {
    signal.throwIfAborted()
    throw new UsageError(`${file} could not be read: ${messageOf(error)}. Give a file or a URL`, { cause: error })
  }
}

async function textOfUrl(url: string, signal: AbortSignal): Promise<string> {
  const shown = redactUrl(url)
  // It obeys HTTPS_PROXY, HTTP_PROXY and NO_PROXY.
  const agent = new EnvHttpProxyAgent(proxiesOf(process.env))
  const limited = AbortSignal.any([signal, AbortSignal.timeout(MAX_MS)])
  try {
    const response = await fetch(url, {
      dispatcher: agent,
      signal: limited,
      headers: { accept: 'application/json, application/yaml;q=0.9, */*;q=0.5' },
    })
    if (!response.ok)
      throw new UsageError(`${shown} answered ${response.status}. Give the URL of the description itself`)
    const parts: Uint8Array[] = []
    let bytes = 0
    for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      bytes += part.byteLength
      if (bytes > MAX_BYTES) throw new UsageError(`${shown} has more than 100 MB, so it is no description of an API`)
      parts.push(part)
    }
    return new TextDecoder().decode(Buffer.concat(parts))
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof UsageError) throw error
    throw new UsageError(`${shown} could not be read: ${reasonOf(error)}`, { cause: error })
  } finally {
    await agent.destroy()
  }
}

/** `fetch` says only "fetch failed"; its cause names the reason. */
const reasonOf = (error: unknown): string =>
  error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error)

async function parsed(text: string, place: string): Promise<unknown> {
  const plain = text.startsWith('\u{FEFF}') ? text.slice(1) : text
  if (/^\s*[{[]/.test(plain)) {
    try {
      return JSON.parse(plain) as unknown
    } catch (error) {
      // YAML has objects in braces too.
      if (/\.json$/i.test(place)) throw notADescription(place, messageOf(error), error)
    }
  }
  if (/^\s*<(!doctype|html|\?xml)/i.test(plain)) throw notADescription(place, 'it is a page, not JSON or YAML')
  const { parse } = await import('yaml')
  try {
    // Generators write keys twice now and then, and aliases by the thousand.
    return parse(plain, { uniqueKeys: false, maxAliasCount: -1, merge: true, logLevel: 'error' }) as unknown
  } catch (error) {
    throw notADescription(place, messageOf(error).split('\n')[0] ?? '', error)
  }
}

const notADescription = (place: string, why: string, cause?: unknown): UsageError =>
  new UsageError(`${place} is no description of an API: ${why}. Give an OpenAPI or Swagger document`, { cause })
