// Records that the API announced as deleted, on their way through the stages behind `.deleted()`.
import type { Tombstone } from '../model/page.ts'
import type { Stage } from '../model/recipe.ts'
import { keyTexts } from '../value/key-texts.ts'
import type { CompiledStage, MutablePage } from './mutable-page.ts'

/**
 * Returns tombstones after some records were left out or put in another order. `indexes` are the places that the
 * records had among `length`.
 */
export function movedTombstones(
  tombstones: readonly Tombstone[],
  indexes: readonly number[],
  length: number,
): Tombstone[] {
  const kept = new Uint8Array(length)
  for (const index of indexes) kept[index] = 1
  const before = new Uint32Array(length + 1)
  for (let index = 0; index < length; index += 1) before[index + 1] = (before[index] ?? 0) + (kept[index] ?? 0)
  return tombstones.map((tombstone) => ({ ...tombstone, before: before[tombstone.before] ?? 0 }))
}

/** Joins the tombstones of two stages, in the order in which they were read. */
export const mergedTombstones = (earlier: readonly Tombstone[], later: readonly Tombstone[]): readonly Tombstone[] =>
  earlier.length === 0 ? later : [...earlier, ...later].toSorted((a, b) => a.before - b.before)

/** Returns the names that the fields of a key have before some stages. */
export const keyNamesBehind = (stages: readonly Stage[], key: readonly string[] = []): readonly string[] =>
  stages
    .toReversed()
    .reduce(
      (names, stage) =>
        stage.type === 'rename' ? names.map((name) => (name === stage.to ? stage.from : name)) : names,
      key,
    )

/** Records of a page that are compared: a stage that makes other keys makes them for all. */
const COMPARED = 100

export interface KeyStageOptions {
  /** The fields of the key behind the stage. */
  readonly key: readonly string[]
  /** Compare pages without tombstones too: another page may have some. */
  readonly always: boolean
}

/**
 * Runs a stage that makes other records, also for tombstones if they need it. They often lack what such a stage reads,
 * so it sees them only if it makes the key: the records show that it changes keys, or a tombstone has none yet.
 */
export function throughKeyStage(run: CompiledStage, { key, always }: KeyStageOptions): CompiledStage {
  let changesKeys = false
  const runAndCompare = async (page: MutablePage): Promise<void> => {
    const origins = page.origins ?? page.records
    const before = new Map(page.records.slice(0, COMPARED).map((record, index) => [origins[index], record]))
    await run(page)
    for (const [index, record] of page.records.slice(0, COMPARED).entries()) {
      const origin = page.origins?.[index]
      if (before.has(origin)) changesKeys ||= keyOf(before.get(origin), key) !== keyOf(record, key)
    }
    await remake(page, run, (record) => changesKeys || keyOf(record, key) === undefined)
  }
  return (page) => (always || page.tombstones.length > 0 ? runAndCompare(page) : run(page))
}

/** Runs a stage for those tombstones that need it. One on which it throws is rejected. */
async function remake(page: MutablePage, run: CompiledStage, needs: (record: unknown) => boolean): Promise<void> {
  const needy = page.tombstones.filter(({ record }) => needs(record))
  if (needy.length === 0) return
  const made: MutablePage = {
    records: needy.map(({ record }) => record),
    origins: needy.map(({ origin }) => origin),
    parents: page.parents,
    filtered: 0,
    duplicate: 0,
    deleted: 0,
    tombstones: [],
    rejects: [],
  }
  await run(made)
  const records = new Map(made.origins?.map((origin, index) => [origin, made.records[index]]))
  const rest = new Set(needy)
  page.tombstones = page.tombstones.flatMap((tombstone) => {
    if (!rest.has(tombstone)) return [tombstone]
    return records.has(tombstone.origin) ? [{ ...tombstone, record: records.get(tombstone.origin) }] : []
  })
  page.deleted -= made.rejects.length
  page.rejects.push(...made.rejects)
}

const keyOf = (record: unknown, key: readonly string[]): string | undefined => {
  const texts = keyTexts(record, key)
  return texts && JSON.stringify(texts)
}
