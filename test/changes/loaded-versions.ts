// A history whose versions begin when they are loaded: the table has what each reading has changed, in this order.
import type { State } from './changing-api.ts'
import type { Expected, How } from './expected.ts'
import type { Stored, StoredRow } from './stored.ts'

interface Version {
  readonly name: string
  isEnded: boolean
}

export class LoadedVersions implements Expected {
  readonly #lines = new Map<number, Version[]>()

  reject(): void {}

  apply({ id, name, isGone }: State, { isReplay }: How): void {
    const line = this.#lines.get(id) ?? []
    const last = line.at(-1)
    if (isGone) {
      if (last) last.isEnded = true
      return
    }
    if (isReplay && last) return
    if (last?.name === name && !last.isEnded) return
    this.#lines.set(id, [...line, { name, isEnded: false }])
  }

  problem({ rows }: Stored): string | undefined {
    const stored = Map.groupBy(rows, ({ id }) => id)
    for (const [id, line] of this.#lines) {
      const wrong = lineProblem(stored.get(id) ?? [], line)
      if (wrong !== undefined) return `the history of ${id}: ${wrong}`
      stored.delete(id)
    }
    return stored.size > 0 ? `nobody has stored the keys ${[...stored.keys()].join(', ')}` : undefined
  }

  problemAtRest({ current }: Stored, records: readonly State[]): string | undefined {
    const alive = records.map(({ id, name }) => `${id} ${name}`).toSorted()
    const shown = current.map(({ id, name }) => `${id} ${name}`).toSorted()
    return alive.join() === shown.join()
      ? undefined
      : `the API has ${alive.join(', ')}, and the view ${shown.join(', ')}`
  }
}

function lineProblem(rows: readonly StoredRow[], line: readonly Version[]): string | undefined {
  const [found, expected] = [rows, line].map((versions) => versions.map(({ name }) => name).join(', '))
  if (found !== expected) return `its versions are ${found}, and were read as ${expected}`
  for (const [index, { from, to, name }] of rows.entries()) {
    const next = rows[index + 1]?.from
    const isEnded = line[index]?.isEnded === true
    if (to !== undefined && (to <= from || (next !== undefined && to > next)))
      return `version ${index + 1}, ${name}, ends before it begins, or overlaps the next one`
    if (isEnded && to === undefined) return `version ${index + 1}, ${name}, was deleted and has not ended`
    if (!isEnded && to !== next) return `version ${index + 1}, ${name}, was not deleted, and ends at ${to}`
  }
  return undefined
}
