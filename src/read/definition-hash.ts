// Identifies the part of a definition that a stored position depends on.
import { createHash } from 'node:crypto'
import type { Job } from '../model/job.ts'
import type { CursorOrigin } from '../model/field-values.ts'
import type { HttpSource, Recipe, Table } from '../model/recipe.ts'

type Into = Pick<Table, 'name' | 'write' | 'mirror'> & Partial<Pick<Table, 'key'>>

/**
 * Returns a hash that changes when a stored position no longer fits the recipe. It covers the source with its
 * requests and paging, the cursor, the stages up to the last `flatMap`, and the table with its write mode. The hash
 * does not cover later stages, credentials, limits, rules for responses and the options of a GraphQL query: those may
 * change while a slice is interrupted. Functions count by their text.
 *
 * A mirror deletes the rows that a reading does not bring. So all that decides which keys a reading brings must be the
 * same from its start to its end: with `mirror`, the hash covers all stages, the key and the rules for responses too.
 */
export function definitionHash({ source, incremental, stages }: Recipe, table?: Into): string {
  const read =
    'read' in source
      ? { read: source.read }
      : {
          base: source.api.base,
          request: requestOf(source),
          paging: withFormerNames(source.paging, FORMER_NAMES.paging),
          records: source.records,
          optional: source.optional,
          delta: source.delta,
          job: source.job && jobOf(source.job),
        }
  // A child position counts the parents that are left after the stages, so all stages before the last children count.
  const counted = table?.mirror ? stages.length : stages.findLastIndex(({ type }) => type === 'flatMap') + 1
  const definition = {
    ...read,
    incremental: incremental && withFormerNames(incremental, FORMER_NAMES.incremental),
    into: table && [table.name, table.write, ...(table.mirror ? ['mirror'] : [])],
    parents: stages.slice(0, counted).map((stage) => withFormerNames(stage, FORMER_NAMES.stage)),
    ...(table?.mirror && { key: table.key, rules: rulesOf(source) }),
  }
  return hashOf(definition)
}

/**
 * Returns what the cursor of a recipe depends on: its field, and the request with the children, but neither paging nor
 * table nor other stages.
 */
export function cursorOrigin({ source, incremental, stages }: Recipe): CursorOrigin {
  const { at, unit, time } = incremental ?? {}
  const asked =
    'read' in source
      ? { read: source.read }
      : { base: source.api.base, request: requestOf(source), records: source.records }
  const children = stages.filter(({ type }) => type === 'flatMap')
  return {
    ...(typeof at === 'string' && { field: at }),
    cursor: hashOf({ at, unit, time, delta: 'api' in source ? source.delta : undefined }),
    request: hashOf({ ...asked, children }),
  }
}

/** Returns the rules that say which responses are left out, or end the paging. */
const rulesOf = (source: Recipe['source']): unknown =>
  'api' in source ? [source.api.responseRules, source.request.responseRules] : undefined

/** Returns the part of a request that decides which records come. */
const requestOf = ({ request }: HttpSource): unknown => ({
  ...request,
  headers: undefined,
  responseRules: undefined,
  timeout: undefined,
  auth: undefined,
  rate: undefined,
  errors: undefined,
  persisted: undefined,
})

const hashOf = (definition: unknown): string =>
  createHash('sha256').update(JSON.stringify(definition, hashedValue)).digest('base64url').slice(0, 22)

/** Waits, retries and counts of a job may change while it runs. */
const jobOf = ({ id, poll, state, done, empty, failed, expired, results }: Job): unknown => ({
  id,
  poll,
  state,
  done,
  empty,
  failed,
  expired,
  results,
})

/**
 * Names that a recipe had in version 0.1. The hash keeps them, because ledgers hold hashes of that version. A hash that
 * changes restarts every slice that is being read.
 */
const FORMER_NAMES: Readonly<Record<'paging' | 'incremental' | 'stage', Readonly<Record<string, string>>>> = {
  paging: { type: 'by', start: 'first', max: 'last' },
  incremental: { startFrom: 'from' },
  stage: { type: 'stage' },
}

/** Returns a copy whose members have other names, in the same order. A function is returned as it is. */
function withFormerNames(value: object, names: Readonly<Record<string, string>>): unknown {
  if (typeof value === 'function') return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [names[name] ?? name, member as unknown]))
}

function hashedValue(name: string, value: unknown): unknown {
  if (name === 'concurrency' || name === 'ordered' || name === 'schema') return undefined
  if (typeof value === 'function') return `function ${Function.prototype.toString.call(value)}`
  return typeof value === 'bigint' ? `${value}n` : value
}
