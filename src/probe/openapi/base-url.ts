// Where the API is: the base of every path.
import type { Description } from './description.ts'
import { isUrl } from './load-description.ts'
import { listAt, type Node, nodeAt, nodeOf, textAt } from './node.ts'

export interface BaseFound {
  /** Without a slash at its end. */
  readonly base: string
  readonly questions: readonly string[]
}

/** Stands where the description names no host. A run fails there, because no such host exists. */
const NO_HOST = 'https://api.example'

/** Returns the base of an API: its first server, with the defaults of variables. */
export function baseOf(description: Description): BaseFound {
  const servers = description.isSwagger ? swaggerServers(description) : serversOf(description)
  const first = servers.find(({ url }) => url.startsWith('https:')) ?? servers[0]
  const found = first && absolute(first.url, description.place)
  if (!first || found === undefined)
    return {
      base: `${NO_HOST}${pathOf(first?.url)}`,
      questions: ['which host is the API on? The description names none.'],
    }
  const others = servers
    .filter(({ url }) => url !== first.url)
    .map(({ url }) => absolute(url, description.place) ?? url)
  return { base: found, questions: [...first.questions, ...othersAs(others)] }
}

interface Server {
  readonly url: string
  readonly questions: readonly string[]
}

const serversOf = ({ root }: Description): Server[] => listAt(root, 'servers').map((one) => serverOf(nodeOf(one)))

/** Fills the variables of a server: `https://{region}.api.example`. */
function serverOf(node: Node): Server {
  const variables = nodeAt(node, 'variables')
  const questions: string[] = []
  const url = (textAt(node, 'url') ?? '/').replaceAll(/\{([^{}]+)\}/g, (_, name: string) => {
    const variable = nodeAt(variables, name)
    const value = textAt(variable, 'default') ?? listAt(variable, 'enum').find((one) => typeof one === 'string')
    const values = listAt(variable, 'enum').map(String)
    const choice = values.length > 1 ? ` It may be ${values.slice(0, 8).join(', ')}.` : ''
    questions.push(`which ${name}? The base of the API has it, and '${value ?? name}' stands there now.${choice}`)
    return value ?? name
  })
  return { url, questions }
}

function swaggerServers({ root, place }: Description): Server[] {
  const schemes = listAt(root, 'schemes').map(String)
  const scheme = schemes.length === 0 || schemes.includes('https') ? 'https' : (schemes[0] ?? 'https')
  const basePath = textAt(root, 'basePath') ?? '/'
  const host = textAt(root, 'host')
  if (host !== undefined) return [{ url: `${scheme}://${host}${slashed(basePath)}`, questions: [] }]
  return [{ url: isUrl(place) ? new URL(slashed(basePath), place).href : slashed(basePath), questions: [] }]
}

/** A relative URL is relative to the place of the description. */
function absolute(url: string, place: string): string | undefined {
  const full = URL.canParse(url) ? url : isUrl(place) && URL.canParse(url, place) && new URL(url, place).href
  return typeof full === 'string' && /^https?:/i.test(full) ? withoutEnd(full) : undefined
}

const withoutEnd = (url: string): string => url.replace(/[?#].*$/, '').replace(/\/+$/, '')
const slashed = (path: string): string => (path.startsWith('/') ? path : `/${path}`)
const pathOf = (url: string | undefined): string =>
  url === undefined || /^[a-z]+:/i.test(url) ? '' : withoutEnd(slashed(url))

const MAX_OTHERS = 5

const othersAs = (others: readonly string[]): string[] =>
  others.length === 0
    ? []
    : [`is this the right server? Others are ${[...new Set(others)].slice(0, MAX_OTHERS).join(', ')}.`]
