// Shows the lists of a description: a line each, with what `--only` and `--set` take.
import type { FoundStream } from '../../../probe/found.ts'
import type { LeftOut } from '../../../probe/openapi/lists.ts'
import { pagingText } from '../../../probe/write/write-paging.ts'
import { displayWidth } from '../../output/display-width.ts'

/** Longer names and paths move the rest of their line to the right: they are copied, so they are never cut. */
const MOST_NAME = 32
const MOST_PATH = 48

interface Row {
  readonly name: string
  readonly path: string
  /** From the most to the least; the first one that fits the terminal is shown, and if none does, the last one. */
  readonly texts: readonly string[]
}

/** Returns a row for each list that is read, and for each one that is read once `--set` gives it values. */
export function listLines(streams: readonly FoundStream[], leftOut: readonly LeftOut[], width: number): string[] {
  const rows = [
    { name: 'stream', path: 'path', texts: ['paging and key, or what it needs', ''] },
    ...streams.map(rowOf),
    ...leftOut.flatMap(({ needs }) => (needs ? [neededRow(needs)] : [])),
  ]
  const nameWidth = Math.min(MOST_NAME, Math.max(...rows.map(({ name }) => displayWidth(name))))
  const pathWidth = Math.min(MOST_PATH, Math.max(...rows.map(({ path }) => displayWidth(path))))
  return rows.map(({ name, path, texts }) => {
    const begin = `${padded(name, nameWidth)}  ${padded(path, pathWidth)}`
    const fits = (text: string): boolean => displayWidth(begin) + 2 + displayWidth(text) <= width
    return `${begin}  ${texts.find(fits) ?? texts.at(-1) ?? ''}`.trimEnd()
  })
}

function rowOf({ name, path, paging, key }: FoundStream): Row {
  const text = pagingText(paging)
  return { name, path, texts: [`${text}, ${key.length > 0 ? `key ${key.join(', ')}` : 'no key'}`, text, ''] }
}

const neededRow = ({ name, path, parameters }: NonNullable<LeftOut['needs']>): Row => ({
  name,
  path,
  texts: [parameters.map((one) => `--set ${one}=…`).join(' ')],
})

const padded = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - displayWidth(text)))
