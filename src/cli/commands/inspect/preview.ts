import { openText } from '../../../model/completeness.ts'
import { UsageError } from '../../../model/errors.ts'
import { environmentOf } from '../../../run/accounts/environment-of.ts'
import { inferType } from '../../../probe/infer-type.ts'
import { typeName } from '../../../probe/write/names.ts'
import { declarationOf } from '../../../probe/write/write-type.ts'
import { sample, sampleRecords } from '../../../run/check/sample.ts'
import { findPipelines } from '../../../run/find-pipelines.ts'
import { formatCount, formatNumber } from '../../../value/format.ts'
import type { CommandContext, CommonOptions } from '../../execute-command.ts'
import { printJsonLines, printTable } from '../../output/print-rows.ts'
import { accountsOf, selectOne } from '../stream-names.ts'

interface PreviewOptions extends CommonOptions {
  readonly stream?: string
  readonly account?: string
  readonly limit: number
  readonly since?: string
  /** Show the type of the records instead of rows. */
  readonly type?: boolean
  readonly json?: boolean
}

/** Records whose type is shown, at least: fields that few records have are not missed then. */
const TYPE_RECORDS = 100

/** Rejects to show. */
const MAX_REJECTS = 3

/** `sluice preview`: shows the first rows of one stream. */
export async function previewCommand(
  [word]: [string],
  { stream, account, database, limit, since, type = false, json = false }: PreviewOptions,
  context: CommandContext,
): Promise<number> {
  const { signal, hide } = context
  const { pipeline, streams } = selectOne(
    await findPipelines([word], accountsOf({ account, database }, context)),
    stream === undefined ? undefined : [stream],
  )
  const [name = '', ...others] = streams ?? Object.keys(pipeline.streams)
  const flow = pipeline.streams[name]
  if (!flow || others.length > 0)
    throw new UsageError(
      `${pipeline.name} has several streams: give one, as in sluice preview ${pipeline.name}.${name || 'stream'}`,
    )
  const environment = environmentOf(pipeline)
  if (type) {
    if (json) throw new UsageError('--type cannot be combined with --json: it prints TypeScript')
    const records = await sampleRecords(flow, {
      stream: name,
      limit: Math.max(limit, TYPE_RECORDS),
      since,
      database,
      environment,
      signal,
    })
    if (records.length === 0) throw new UsageError(`${word}: the API returned no record, so their type is not known`)
    console.log(hide(declarationOf(typeName(name), inferType(records))))
    console.error(`The type of ${formatCount(records.length, 'record')}, as they arrive, before the stream's stages`)
    return 0
  }
  const keep = Math.max(limit, MAX_REJECTS)
  const sampled = await sample(flow, { stream: name, limit, keep, since, database, environment, signal })
  const { stored: read, onlyNull, rejects, counts, isWhole, completeness } = sampled
  const open = openText(completeness)
  const rows = read.slice(0, limit)
  if (json) printJsonLines(rows)
  else {
    printTable(rows)
    console.log(
      `${formatCount(rows.length, 'row')}${isWhole && open === undefined ? ` (all ${word} has)` : ''}; ` +
        `${formatNumber(counts.fetched)} ${counts.fetched === 1 ? 'record was' : 'records were'} fetched, ` +
        'nothing was stored',
    )
    if (onlyNull.length > 0) console.log(`No column yet, because no record has a value: ${onlyNull.join(', ')}`)
  }
  if (counts.rejected > 0) {
    const first = rejects.slice(0, MAX_REJECTS).map(({ stage, reason }) => `\n  ${stage}: ${reason}`)
    const text = `${formatCount(counts.rejected, 'record')} would be rejected`
    const begin = counts.rejected > first.length ? `${text}. The first ${first.length}:` : `${text}:`
    console.error(hide(begin + first.join('')))
  }
  if (open !== undefined) console.error(hide(`It is not proven that everything was read: ${open}`))
  return 0
}
