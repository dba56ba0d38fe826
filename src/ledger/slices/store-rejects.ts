import { quoteLiteral } from '../../database/quote.ts'
import type { Reject } from '../../model/page.ts'
import type { Slice } from '../../model/slice.ts'
import { exactJson } from '../../value/json/stored-json.ts'
import { storableText } from '../../value/text.ts'

/**
 * What stores a batch's rejects in its transaction, before the batch's advance; empty where there are none, else ending
 * in a semicolon.
 */
export function rejectsSql({ id }: Slice, rejects: readonly Reject[]): string {
  if (rejects.length === 0) return ''
  const rows = rejects.map(
    ({ stage, reason, record, parents }, at) =>
      `(${at}, ${quoteLiteral(storableText(stage))}, ${quoteLiteral(storableText(reason))}, ${quoteLiteral(exactJson(record))}::json, ${parents ? `${quoteLiteral(exactJson(parents))}::json` : 'null::json'})`,
  )
  return `insert into sluice.rejects (run, slice, pipeline, stream, position, seq, stage, reason, record, parents)
select s.run, s.id, s.pipeline, s.stream, s.position, s.seq, r.stage, r.reason, r.record, r.parents
  from sluice.slices as s, (values ${rows.join(',\n')}) as r (place, stage, reason, record, parents)
 where s.id = ${BigInt(id)} order by r.place;\n`
}

/**
 * What marks rejects as replayed, in the transaction that stores their records. It raises where somebody else has
 * replayed one meanwhile.
 */
export function replayedSql(rejects: readonly string[], run: string): string {
  return `select sluice.replay(array[${rejects.map((id) => BigInt(id)).join(', ')}]::bigint[], ${BigInt(run)});\n`
}
