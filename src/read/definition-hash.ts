import { createHash } from 'node:crypto'
import type { Recipe, Table } from '../model/recipe.ts'

/**
 * Whether a stored position still fits a recipe: what is asked, how pages follow each other, where their records and
 * their cursor are, and what children are read; and where rows go, since what was read before the change is not there.
 * Functions count by their text. Later stages, credentials and limits may change while a reading is interrupted.
 */
export function definitionHash({ source, incremental, stages }: Recipe, table?: Pick<Table, 'name' | 'write'>): string {
  const read =
    'read' in source
      ? { read: source.read }
      : {
          base: source.api.base,
          request: { ...source.request, headers: undefined },
          paging: renamed(source.paging, FORMER_NAMES.paging),
          records: source.records,
          optional: source.optional,
        }
  // A path counts the parents that a stage left, so all that comes before the last children matters.
  const definition = {
    ...read,
    incremental: incremental && renamed(incremental, FORMER_NAMES.incremental),
    into: table && [table.name, table.write],
    parents: stages
      .slice(0, stages.findLastIndex(({ type }) => type === 'flatMap') + 1)
      .map((stage) => renamed(stage, FORMER_NAMES.stage)),
  }
  return createHash('sha256').update(JSON.stringify(definition, told)).digest('base64url').slice(0, 22)
}

/**
 * Names that a recipe had in version 0.1. The hash keeps them, because a ledger holds hashes of that version: a hash
 * that changes restarts every slice that is being read.
 */
const FORMER_NAMES: Readonly<Record<'paging' | 'incremental' | 'stage', Readonly<Record<string, string>>>> = {
  paging: { type: 'by', start: 'first', max: 'last' },
  incremental: { startFrom: 'from' },
  stage: { type: 'stage' },
}

/** Returns a copy whose members have other names, in the same order. A function is returned as it is. */
function renamed(value: object, names: Readonly<Record<string, string>>): unknown {
  if (typeof value === 'function') return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [names[name] ?? name, member as unknown]))
}

function told(name: string, value: unknown): unknown {
  if (name === 'concurrency' || name === 'ordered' || name === 'schema') return undefined
  if (typeof value === 'function') return `function ${Function.prototype.toString.call(value)}`
  return typeof value === 'bigint' ? `${value}n` : value
}
