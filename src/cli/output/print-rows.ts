import { exactJson } from '../../value/json/stored-json.ts'
import { textTable, type TextTableOptions } from './text-table.ts'

/** Rows for people, as a table that fits their terminal. */
export function showTable(
  rows: readonly Readonly<Record<string, unknown>>[],
  { optional = [] }: Pick<TextTableOptions, 'optional'> = {},
): void {
  const { isTTY, columns } = process.stdout
  if (rows.length > 0) console.log(textTable(rows, isTTY && columns ? { width: columns, optional } : {}))
}

/** Values for programs, one per line, with every digit. */
export function showJsonLines(values: readonly unknown[]): void {
  for (const value of values) console.log(exactJson(value))
}

/** `1,234` */
export const numberText = (value: number): string => value.toLocaleString('en-US')

const two = (value: number): string => String(value).padStart(2, '0')

/** `2026-01-31 12:00:05`, in the time zone of whoever reads it. */
export function timeText(date: Date): string {
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

/** `4.2 s`, `3 min 12 s` */
export const secondsText = (ms: number): string =>
  ms < 59_950
    ? `${(ms / 1_000).toFixed(1)} s`
    : `${Math.floor(Math.round(ms / 1_000) / 60)} min ${Math.round(ms / 1_000) % 60} s`

/** `45 s`, `12 min`, `3 h`, `2 d`: as much as one wants to know of an age. */
export function ageText(ms: number): string {
  const [size, unit] = ages.find(([size]) => ms >= 2 * size) ?? [1_000, 's']
  return `${Math.max(0, Math.floor(ms / size))} ${unit}`
}
const ages = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
] as const
