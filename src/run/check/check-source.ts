// The source of one stream: its secrets, its first page, and what this page shows of later runs.
import { requiredSecretsIn } from '../../define/secrets-in.ts'
import { NewTable } from '../../load/new-table.ts'
import type { HttpSource, Recipe, Table } from '../../model/recipe.ts'
import type { Api } from '../../model/request.ts'
import type { Scope } from '../../model/scope.ts'
import { formatCount } from '../../value/format.ts'
import { checkEnd } from './check-end.ts'
import { checkCredentials } from './check-credentials.ts'
import { checkCursorField, checkDeclaredFields } from './check-fields.ts'
import { checkMovingList } from './check-moving-list.ts'
import { checkOrder } from './check-order.ts'
import { checkRejects } from './check-rejects.ts'
import { checkSince } from './check-since.ts'
import { checkCursorTimes, checkTimes } from './check-times.ts'
import { advice, problem, type Checked, type Remark } from './finding.ts'
import { readFirstPage, type FirstPage } from './first-page.ts'
import { firstRows } from './first-rows.ts'
import { pageEncoder } from './page-encoder.ts'
import { shownRequest } from './shown-request.ts'
import { recommendPaginator } from './recommend-paginator.ts'

export interface SourceCheck {
  readonly recipe: Recipe
  readonly table: Table
  /** `pipeline.stream`. */
  readonly location: string
  /** Turns off the retries of an API. */
  readonly once: (api: Api) => Api
  readonly offline: boolean
  /** Returns endpoints that have led to a next page in an earlier run. */
  readonly waysOn: () => Promise<readonly string[]>
}

export interface CheckedSource extends Checked {
  /** The rows that a run would make of the first page and store in a new table. Undefined if they are not known. */
  readonly rows?: readonly unknown[] | undefined
}

/** Sends one request, for the first page. Its secrets are there. Throws what would fail a run. */
export async function checkSource(check: SourceCheck, scope: Scope): Promise<CheckedSource> {
  const { recipe, table, location, once, offline, waysOn } = check
  const { source, stages } = recipe
  if ('read' in source) return { text: 'a custom source, which is not read' }
  const since = checkSince(source, recipe, table)
  if (source.job) return { text: 'an export job, which a check does not start', remarks: since }
  if (offline)
    return {
      text:
        requiredSecretsIn(recipe).length > 0
          ? `${requiredSecretsIn(recipe).join(' and ')} is set`
          : 'it needs no secret',
      remarks: since,
    }
  const endpoints = new Map((await waysOn()).map((name) => [name, { hasWayOn: true, largestPage: 0 }]))
  const options = { source: { ...source, api: once(source.api) }, recipe, table, endpoints }
  const first = await readFirstPage(options, { ...scope, stream: location })
  const made = await firstRows({ stages }, first.records, scope)
  const rows = made?.records
  const stored = made && pageEncoder(new NewTable(table, location))(made)
  return {
    text:
      `${shownRequest(first.request, source.api)} answered ${formatCount(first.response.records.length, 'record')} ` +
      'on its first page',
    remarks: [
      ...(first.grant ? checkCredentials(first.grant, requiredSecretsIn(recipe), scope.now()) : []),
      ...remarksOnPage(first, recipe, source, table),
      ...since,
      ...(stored ? checkRejects(stored.rejects, first.records.length, table) : []),
      ...(stored?.sharedKey === undefined ? [] : [problem(stored.sharedKey)]),
      ...(rows ? [...checkDeclaredFields(table, rows), ...checkTimes(table, rows)] : []),
    ],
    rows: stored?.rows ?? rows,
  }
}

/** Returns what the records of the source show, whatever the stages make of them. */
function remarksOnPage(first: FirstPage, { incremental }: Recipe, source: HttpSource, table: Table): Remark[] {
  const { records } = first.response
  const fieldMissing = incremental ? checkCursorField(incremental, records) : []
  // The reasons of an open reading include the missing field of the cursor.
  const ends = checkEnd(first, table).filter(({ text }) => !fieldMissing.some((missing) => text.endsWith(missing.text)))
  return [
    ...ends,
    ...(ends.length > 0 ? recommendPaginator(first, source.paging) : []),
    ...fieldMissing,
    ...first.warnings.map(advice),
    ...(incremental
      ? [
          ...checkCursorTimes(incremental, records),
          ...checkOrder(incremental, records),
          ...checkMovingList(first, source, incremental),
        ]
      : []),
  ]
}
