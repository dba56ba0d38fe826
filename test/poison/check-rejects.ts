import type { Database } from '../../src/database/database.ts'
import { flatMembers } from './check-rows.ts'
import type { Document } from './documents.ts'
import { isStored, sameJson } from './is-stored.ts'
import { NumberText, readJson, type Value } from './read-json.ts'

export interface Rejected {
  readonly n: number
  readonly stage: string
  readonly reason: string
  readonly record: ReadonlyMap<string, Value>
}

/** Returns the records that a run has rejected. A text that is no JSON stands in a member of its own. */
export async function readRejects(database: Database, run: string): Promise<Rejected[]> {
  const rows = await database.query<{ stage: string; reason: string; record: string }>(
    'select stage, reason, record::text from sluice.rejects where run = $1',
    [run],
  )
  return rows.map(({ stage, reason, record: text }) => {
    const outer = readJson(text) as Map<string, Value>
    const raw = outer.get('not JSON')
    const record = outer.size === 1 && typeof raw === 'string' ? (readJson(raw) as Map<string, Value>) : outer
    const n = record.get('n')
    return { n: n instanceof NumberText ? Number(n.text) : Number.NaN, stage, reason, record }
  })
}

/** Returns what is wrong with rejects: each has its reason and its record as it was sent, and comes once. */
export function checkRejects(rejects: readonly Rejected[], sent: ReadonlyMap<number, Document>): string[] {
  const seen = new Set<number>()
  return rejects.flatMap(({ n, stage, reason, record }) => {
    const document = sent.get(n)
    if (!document) return [`a record was rejected that was not sent: ${reason}`]
    if (seen.has(n)) return [`record ${n} was rejected twice: ${reason}`]
    seen.add(n)
    if (reason.trim() === '') return [`record ${n} was rejected without a reason`]
    const isSame =
      stage === 'database'
        ? sameRow(record, document.members)
        : sameJson(new Map(record), new Map(document.members), CUT)
    return isSame ? [] : [`the reject of record ${n} holds another record: ${document.text.slice(0, 2_000)}`]
  })
}

const CUT = { isCut: true }

/** The record of a row that the database refused is read back from the row, in which scalars may be texts. */
function sameRow(record: ReadonlyMap<string, Value>, sent: ReadonlyMap<string, Value>): boolean {
  const [stored, given] = [flatMembers(record), flatMembers(sent)]
  return [...new Set([...stored.keys(), ...given.keys()])].every((name) => {
    const [one, other] = [stored.get(name) ?? null, given.get(name) ?? null]
    // A text '' may be read as null.
    if (one === null) return other === null || other === ''
    if (sameJson(one, other, CUT)) return true
    if (typeof one === 'object' && !(one instanceof NumberText)) return false
    return [TEXT, DAY].some((column) => isStored(textOf(one), column, other))
  })
}

const TEXT = { name: '', type: 'text', isDeclared: true }
const DAY = { name: '', type: 'date', isDeclared: true }

const textOf = (value: string | boolean | NumberText): string =>
  value instanceof NumberText ? value.text : String(value)
