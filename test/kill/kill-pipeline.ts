import { byCursor, http, path, pipeline, since, type Pipeline } from '../../src/index.ts'
import type { Folder, Item, Note } from './records.ts'
import type { RunSettings } from './sluice.ts'

/**
 * Two streams of the harness's API. An append reads on from its cursors, without a key: nothing but the ledger keeps it
 * from doubling rows. The others have a key, and read everything each time.
 */
export function killPipeline({ api: url, write, name = '' }: Pick<RunSettings, 'api' | 'write' | 'name'>): Pipeline {
  const api = http(url, { headers: { 'x-run': name } })
  const items = api
    .get<{ items: Item[]; next: string | null }>('/items', { updated_since: since })
    .pages(byCursor('cursor', 'next'))
    .records('items')
  const folders = api
    .get<{ folders: Folder[]; next: string | null }>('/folders')
    .pages(byCursor('cursor', 'next'))
    .records('folders')
  const notesOf = ({ id }: Folder) =>
    api
      .get<{ notes: Note[]; next: string | null }>(path`/folders/${id}/notes`, { updated_since: since })
      .pages(byCursor('cursor', 'next'))
      .records('notes')

  const mirror = write === 'mirror' && ({ mirror: true, mostDeletes: '100%' } as const)
  return pipeline('kill', {
    streams:
      write === 'append'
        ? {
            items: items.incremental('updated').into('kill.items', { write }),
            notes: folders
              .flatMap((folder) => notesOf(folder).incremental('updated'), { concurrency: 2 })
              .into('kill.notes', { write }),
          }
        : {
            items: items.into('kill.items', {
              write: write === 'mirror' ? 'merge' : write,
              ...mirror,
              key: 'id',
              adopt: true,
              // The versions of notes begin when they are loaded.
              ...(write === 'history' && { versionBy: 'updated' }),
            }),
            notes: folders.flatMap(notesOf, { concurrency: 2 }).into('kill.notes', {
              write: write === 'mirror' ? 'merge' : write,
              ...mirror,
              key: 'id',
            }),
          },
  })
}
