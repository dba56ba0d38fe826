// Loaders as they are usually written by hand: fetch a page, then insert its rows, with one statement for each row or
// for the page.
import { Client } from 'pg'
import { createTable, columns } from './table.ts'
import type { Issue } from './records.ts'

export type Way = 'row by row' | 'page by page'

/** Returns the seconds in which `records` records are read and stored in an empty table. */
export async function usualWay(
  way: Way,
  { url, api, size, records }: { url: string; api: string; size: number; records: number },
): Promise<number> {
  const client = new Client(url)
  await client.connect()
  try {
    await client.query(`drop table if exists bench.usual; ${createTable('bench.usual')}`)
    const began = performance.now()
    for (let next: string | null = '0'; next !== null && Number(next) < records;) {
      const response = await fetch(`${api}/${size}/?after=${next}`)
      const body = (await response.json()) as { data: Issue[]; next: string | null }
      const rows = body.data.map(({ number, ...issue }) => ({
        ...issue,
        issue_no: number,
        is_bug: issue.labels.includes('bug'),
      }))
      if (way === 'row by row') for (const row of rows) await insert(client, [row])
      else await insert(client, rows)
      next = body.next
    }
    return (performance.now() - began) / 1_000
  } finally {
    await client.end()
  }
}

async function insert(client: Client, rows: readonly Readonly<Record<string, unknown>>[]): Promise<void> {
  const names = Object.keys(columns)
  const places = rows.map((_, row) => `(${names.map((_, column) => `$${row * names.length + column + 1}`).join(', ')})`)
  const values = rows.flatMap((row) =>
    names.map((name) => (typeof row[name] === 'object' && row[name] !== null ? JSON.stringify(row[name]) : row[name])),
  )
  const updates = names.slice(1).map((name) => `"${name}" = excluded."${name}"`)
  await client.query(
    `insert into bench.usual (${names.map((name) => `"${name}"`).join(', ')}) values ${places.join(', ')} ` +
      `on conflict (id) do update set ${updates.join(', ')}`,
    values,
  )
}
