import { quoteLiteral } from '../../database/quote.ts'
import type { Advance } from '../../model/batch.ts'
import type { Reject } from '../../model/page.ts'
import type { Slice } from '../../model/slice.ts'
import { exactJson } from '../../value/json/stored-json.ts'
import { storableText } from '../../value/text.ts'
import { levelOf, rejectIdentities } from './reject-identity.ts'

/**
 * Returns the statements that store the rejects of a batch, each ending in a semicolon; '' if there are none. A record
 * that an earlier read has rejected as well is listed once: the new reject supersedes the old one.
 */
export function rejectsSql(
  slice: Slice,
  rejects: readonly Reject[],
  { key = [], isKeyChanged = false }: Pick<Advance, 'key' | 'isKeyChanged'>,
): string {
  if (rejects.length === 0) return ''
  const identities = rejects.map((reject) =>
    rejectIdentities(reject, isKeyChanged && levelOf(reject) !== 'row' ? [] : key),
  )
  const rows = rejects.map(({ stage, reason, record, parents }, index) => {
    const texts = [storableText(stage), storableText(reason), identities[index]?.[0]].map(quoteLiteral)
    return `(${index}, ${texts.join(', ')}, ${json(record)}, ${parents ? json(parents) : 'null::json'})`
  })
  return `${settleSql(slice, identities.flat(), 'superseded')}
insert into sluice.rejects (run, slice, pipeline, stream, position, seq, stage, reason, identity, record, parents)
select s.run, s.id, s.pipeline, s.stream, s.position, s.seq, r.stage, r.reason, r.identity, r.record, r.parents
  from sluice.slices as s, (values ${rows.join(',\n')}) as r (index, stage, reason, identity, record, parents)
 where s.id = ${BigInt(slice.id)} order by r.index;\n`
}

/** Returns the statement that settles open rejects of records that a batch stores; '' if there are none. */
export function storedSql(slice: Slice, identities: readonly string[]): string {
  return identities.length === 0 ? '' : `${settleSql(slice, identities, 'stored')}\n`
}

/** Returns the statement that opens the rejects again that a slice has settled. */
export const reopenSql = ({ id }: Pick<Slice, 'id'>, settlements: readonly ('stored' | 'superseded')[]): string =>
  `select sluice.reopen_rejects(${BigInt(id)}, array[${settlements.map(quoteLiteral).join(', ')}])`

const settleSql = ({ id }: Slice, identities: readonly string[], settlement: 'stored' | 'superseded'): string => {
  const list = [...new Set(identities)].map((identity) => quoteLiteral(storableText(identity)))
  return `select sluice.settle_rejects(${BigInt(id)}, array[${list.join(', ')}], '${settlement}');`
}

const json = (value: unknown): string => `${quoteLiteral(exactJson(value))}::json`

/**
 * Returns the statement that marks rejects as replayed, for the transaction that stores their records. It raises SL006
 * if another run has settled one of them.
 */
export function replayedSql(rejects: readonly string[], run: string): string {
  return `select sluice.replay(array[${rejects.map((id) => BigInt(id)).join(', ')}]::bigint[], ${BigInt(run)})`
}
