import { describe, expect, test } from '@jest/globals'
import { source, type Stream } from '../../src/index.ts'

interface Row {
  id: string
  at: string
  name: string | null
  n: number
}
const rows = source<Row>(async function* () {
  yield { records: [] }
})
const followed = rows.incremental('at', { lookback: '5m' })

/** Passes a value that JavaScript may write and the compiler refuses. */
const any = (value: unknown): never => value as never

describe('the table of a flow', () => {
  test('has defaults for all options that are not given', () => {
    expect(rows.into('a.b', { key: 'id' }).table).toEqual({
      name: 'a.b',
      key: ['id'],
      write: 'merge',
      onSchemaChange: 'evolve',
      columns: {},
      loadedAt: false,
      allowEmpty: false,
      maxRejects: 100,
      resumeWithin: '24h',
    })
  })

  test('has all options that are given', () => {
    const { table } = rows.into('a.b', {
      key: ['id', 'n'],
      write: 'replace',
      versionBy: 'at',
      columns: {
        at: { type: 'timestamptz', zone: 'Europe/Berlin', emptyText: 'keep' },
        n: { type: 'numeric(12,2)', round: true },
        name: false,
      },
      onSchemaChange: 'reject',
      emptyText: 'null',
      loadedAt: true,
      allowEmpty: true,
      adopt: true,
      maxRejects: 0,
      resumeWithin: '3d',
      complete: 'required',
    })
    expect(table).toEqual({
      name: 'a.b',
      key: ['id', 'n'],
      write: 'replace',
      versionBy: 'at',
      columns: {
        at: { type: 'timestamptz', zone: 'Europe/Berlin', emptyText: 'keep' },
        n: { type: 'numeric(12,2)', round: true },
        name: false,
      },
      onSchemaChange: 'reject',
      emptyText: 'null',
      loadedAt: true,
      allowEmpty: true,
      adopt: true,
      maxRejects: 0,
      resumeWithin: '3d',
      complete: 'required',
    })
  })

  test.each<[string, Stream<Row>, object, unknown]>([
    ["is the cursor's field", followed, {}, 'at'],
    ['is that field by its new name after a rename', any(followed.rename('at', 'changedAt')), {}, 'changedAt'],
    ['does not exist if a stage removed the field', any(followed.omit('at')), {}, undefined],
    ['does not exist if the column is left out', followed, { columns: { at: false } }, undefined],
    ['does not exist for children, which have other fields', any(followed.flatMap(() => rows)), {}, undefined],
    ['does not exist if the cursor is a function', rows.incremental((row) => row.at), {}, undefined],
    ['does not exist if rows are appended', followed, { write: 'append' }, undefined],
  ])('has a version that %s by default', (_, rows, options, version) => {
    const { table } = rows.into('a.b', { key: 'id', ...options })
    expect({ version: table.versionBy, isThere: table.isVersionOptional }).toEqual({
      version,
      isThere: version === undefined ? undefined : true,
    })
  })

  test('has no key if rows are appended without a lookback', () => {
    expect(rows.incremental('at', { lookback: '0s' }).into('a.b', { write: 'append' }).table.key).toEqual([])
  })
})
