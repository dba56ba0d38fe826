/**
 * What `/items` answers. `amount` is an integer until the middle, then a decimal; `note` is a field that appears in the
 * middle.
 */
export interface Item {
  readonly id: number
  readonly name: string
  readonly amount: number
  readonly updated: string
  readonly note?: string
}

/** A record of `/folders`: a parent. */
export interface Folder {
  readonly id: number
  readonly title: string
}

/** A record of `/folders/:id/notes`: a child. `stars` is an integer until the middle, then a decimal. */
export interface Note {
  readonly id: number
  readonly folderId: number
  readonly text: string
  readonly stars: number
  readonly updated: string
}

/** Everything that the API knows, and how it cuts it into pages. */
export interface DataSet {
  readonly items: readonly Item[]
  readonly folders: readonly Folder[]
  readonly notes: ReadonlyMap<number, readonly Note[]>
  readonly pages: { readonly items: number; readonly folders: number; readonly notes: number }
  /** `--batch-rows` of the runs that read it. */
  readonly batchRows: number
}

/** Records whose text holds a NUL, which PostgreSQL cannot store: they must be rejected, alone. */
export const isUnstorable = (record: { readonly name?: string; readonly text?: string }): boolean =>
  `${record.name ?? ''}${record.text ?? ''}`.includes('\0')

/**
 * A run of about fifteen batches. One folder has no notes, one has more pages than all others together, the last page
 * of items is full.
 */
export const small = (): DataSet =>
  dataSet({ items: 48, notesOf: [3, 0, 23, 9, 4, 12], pages: { items: 8, folders: 2, notes: 4 }, batchRows: 8 })

/**
 * The same in half as many batches, for a kill at each message: a first, a middle and a last page of each list, before
 * and after a change of shape.
 */
export const tiny = (): DataSet =>
  dataSet({ items: 24, notesOf: [2, 0, 9, 4], pages: { items: 8, folders: 2, notes: 4 }, batchRows: 8 })

/** Some 4,000 rows: long enough for a server to be stopped in the middle. */
export const medium = (): DataSet =>
  dataSet({
    items: 2_000,
    notesOf: Array.from(
      { length: 20 },
      (_, at) =>
        new Map([
          [7, 0],
          [12, 600],
        ]).get(at) ?? 80 + at,
    ),
    pages: { items: 50, folders: 3, notes: 20 },
    batchRows: 200,
  })

/** 20,000 rows. */
export const large = (): DataSet =>
  dataSet({
    items: 10_000,
    notesOf: Array.from(
      { length: 40 },
      (_, at) =>
        new Map([
          [7, 0],
          [20, 2_500],
        ]).get(at) ?? 192 + (at % 3) + (at === 39 ? 13 : 0),
    ),
    pages: { items: 100, folders: 5, notes: 50 },
    batchRows: 500,
  })

function dataSet({
  items,
  notesOf,
  pages,
  batchRows,
}: {
  items: number
  notesOf: readonly number[]
  pages: DataSet['pages']
  batchRows: number
}): DataSet {
  const folders = notesOf.map((_, at): Folder => ({ id: 100 + at, title: `folder ${at}` }))
  const all = notesOf.reduce((sum, count) => sum + count, 0)
  let made = 0
  const notes = new Map(
    folders.map(({ id }, at) => [id, Array.from({ length: notesOf[at]! }, () => note(++made, id, all))]),
  )
  return { items: Array.from({ length: items }, (_, at) => item(at + 1, items)), folders, notes, pages, batchRows }
}

const item = (id: number, count: number): Item => ({
  id,
  name: id === Math.floor(count / 3) ? `unstorable\0${id}` : `item ${id} ✓`,
  amount: id > count / 2 ? id + 0.25 : id * 3,
  updated: moment(id, count),
  ...(id > count / 2 && { note: `since ${id}` }),
})

const note = (id: number, folderId: number, count: number): Note => ({
  id: 1_000_000 + id,
  folderId,
  text: id === Math.floor(count / 4) ? `unstorable\0${id}` : `note ${id}\n\ttab "quotes" \\`,
  stars: id > count / 2 ? id + 0.5 : id,
  updated: moment(id, count),
})

/** Not in the order of ids, and three records share the greatest one. */
const moment = (id: number, count: number): string => {
  const second = id > count - 3 ? count + 10 : (id * 7) % count
  return new Date(Date.UTC(2024, 0, 1) + second * 1_000).toISOString()
}
