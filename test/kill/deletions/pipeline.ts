import { byCursor, http, pipeline, type Pipeline } from '../../../src/index.ts'
import type { Kind, Order } from './records.ts'

export interface DeletionsSettings {
  readonly api: string
  readonly deletions: Kind
}

/** Streams whose records go: their rows with the lists below them, rows that are marked, and versions of a history. */
export function deletionsPipeline({ api: url, deletions }: DeletionsSettings): Pipeline {
  const api = http(url)
  const list = (name: string) =>
    api.get<{ rows: Order[]; next: string | null }>(`/${name}`).pages(byCursor('cursor', 'next')).records('rows')
  const children = { lines: { key: 'line', children: { parts: { key: 'part' } } }, tags: {} } as const
  if (deletions === 'missing') {
    const mirror = { mirror: true, mostDeletes: '100%' } as const
    return pipeline('missing', {
      streams: {
        dropped: list('dropped').into('kill.dropped', { key: 'id', versionBy: 'at', children, ...mirror }),
        marked: list('marked').into('kill.marked', { key: 'id', deleted: 'mark', children, ...mirror }),
        versions: list('versions').into('kill.versions', { key: 'id', write: 'history', versionBy: 'at', ...mirror }),
      },
    })
  }
  return pipeline('announced', {
    streams: {
      dropped: list('dropped').deleted(gone).into('kill.dropped', { key: 'id', versionBy: 'at', children }),
      marked: list('marked').deleted(gone).into('kill.marked', { key: 'id', deleted: 'mark', children }),
      versions: list('versions').deleted(gone).into('kill.versions', { key: 'id', write: 'history', versionBy: 'at' }),
    },
  })
}

const gone = ({ gone: isGone }: Order): boolean => isGone === true
