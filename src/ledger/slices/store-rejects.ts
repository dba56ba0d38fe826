import { quoteLiteral } from '../../database/quote.ts'
import type { Reject } from '../../model/page.ts'
import type { Slice } from '../../model/slice.ts'
import { exactJson } from '../../value/json/stored-json.ts'
import { storableText } from '../../value/text.ts'

/** Returns the statement that stores the rejects of a batch, ending in a semicolon; '' if there are none. */
export function rejectsSql({ id }: Slice, rejects: readonly Reject[]): string {
  if (rejects.length === 0) return ''
  const rows = rejects.map(({ stage, reason, record, parents }, index) => {
    const texts = [stage, reason].map((text) => quoteLiteral(storableText(text)))
    return `(${index}, ${texts.join(', ')}, ${json(record)}, ${parents ? json(parents) : 'null::json'})`
  })
  return `insert into sluice.rejects (run, slice, pipeline, stream, position, seq, stage, reason, record, parents)
select s.run, s.id, s.pipeline, s.stream, s.position, s.seq, r.stage, r.reason, r.record, r.parents
  from sluice.slices as s, (values ${rows.join(',\n')}) as r (index, stage, reason, record, parents)
 where s.id = ${BigInt(id)} order by r.index;\n`
}

const json = (value: unknown): string => `${quoteLiteral(exactJson(value))}::json`

/**
 * Returns the statement that marks rejects as replayed, for the transaction that stores their records. It raises SL006
 * if another run has settled one of them.
 */
export function replayedSql(rejects: readonly string[], run: string): string {
  return `select sluice.replay(array[${rejects.map((id) => BigInt(id)).join(', ')}]::bigint[], ${BigInt(run)})`
}
