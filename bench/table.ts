/** Columns for the records of the measurements, with the types that Sluice chooses for their values. */
export const columns = {
  id: 'bigint',
  node_id: 'text',
  title: 'text',
  state: 'text',
  locked: 'boolean',
  user: 'jsonb',
  labels: 'jsonb',
  assignee: 'text',
  comments: 'bigint',
  score: 'numeric',
  created_at: 'timestamptz',
  updated_at: 'timestamptz',
  closed_at: 'timestamptz',
  draft: 'boolean',
  body: 'text',
  issue_no: 'bigint',
  is_bug: 'boolean',
} as const

export const createTable = (name: string): string =>
  `create schema if not exists bench; create table ${name} (${Object.entries(columns)
    .map(([column, type]) => `"${column}" ${type}`)
    .join(', ')}, primary key (id))`
