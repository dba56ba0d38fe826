// A list that shows no way on: usual parameters, several at once first, so that few requests find nothing.
import { isObject } from '../find-records.ts'
import { proveLast } from './by-last-record.ts'
import { proveOffset } from './by-offset.ts'
import { provePage } from './by-page.ts'
import type { Probing, Proven } from './probing.ts'

interface Group {
  readonly names: readonly string[]
  /** The value that all of them get. */
  readonly value: (probing: Probing) => string | number | undefined
  /** Sent beside them. */
  readonly sizes: boolean
  readonly prove: (probing: Probing, name: string) => Promise<Proven | undefined>
}

const GROUPS: readonly Group[] = [
  {
    names: ['page', '_page', 'pageNumber', 'p'],
    value: () => 2,
    sizes: false,
    prove: provePage,
  },
  {
    names: ['offset', 'skip', 'start', '_start'],
    value: ({ count }) => (count < 2 ? undefined : count - 1),
    sizes: true,
    prove: proveOffset,
  },
  {
    names: ['starting_after', 'after', 'after_id', 'since_id'],
    value: (probing) => lastId(probing),
    sizes: false,
    prove: async (probing, name) => {
      const [field] = probing.options.key
      return field === undefined ? undefined : proveLast(probing, name, field)
    },
  },
]

/** Tries usual names of parameters. A group that changes nothing costs one request. */
export async function tryUsualNames(probing: Probing, tried: string[]): Promise<Proven | undefined> {
  for (const group of GROUPS) {
    const value = group.value(probing)
    if (value === undefined || probing.left === 0) continue
    tried.push(...group.names)
    const sizes = group.sizes ? { limit: probing.count, _limit: probing.count } : {}
    const values = Object.fromEntries(group.names.map((name) => [name, value]))
    const { page, relation } = await probing.ask({ ...sizes, ...values })
    const isIgnored = relation.type === 'from' && relation.index === 0 && page.records.length === probing.count
    if (isIgnored) continue
    // A strict API refuses names that it does not know, so each is tried by itself.
    const names = relation.type === 'failed' ? group.names.slice(0, 1) : group.names
    for (const name of names) {
      if (probing.left === 0) return undefined
      const proven = await group.prove(probing, name)
      if (proven) return proven
    }
  }
  return undefined
}

function lastId({ first, options }: Probing): string | undefined {
  const [field, ...others] = options.key
  const last = first.records.at(-1)
  if (field === undefined || others.length > 0 || !isObject(last)) return undefined
  const value = last[field]
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}
