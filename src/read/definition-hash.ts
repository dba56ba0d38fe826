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
          paging: source.paging,
          records: source.records,
          optional: source.optional,
        }
  // A path counts the parents that a stage left, so all that comes before the last children matters.
  const definition = {
    ...read,
    incremental,
    into: table && [table.name, table.write],
    parents: stages.slice(0, stages.findLastIndex(({ stage }) => stage === 'flatMap') + 1),
  }
  return createHash('sha256').update(JSON.stringify(definition, told)).digest('base64url').slice(0, 22)
}

function told(name: string, value: unknown): unknown {
  if (name === 'concurrency' || name === 'ordered' || name === 'schema') return undefined
  if (typeof value === 'function') return `function ${Function.prototype.toString.call(value)}`
  return typeof value === 'bigint' ? `${value}n` : value
}
