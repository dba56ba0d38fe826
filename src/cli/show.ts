import { exactJson } from '../ledger/json-text.ts'
import { textTable } from './text-table.ts'

/** Rows for people, as a table that fits their terminal. */
export function showTable(rows: readonly Readonly<Record<string, unknown>>[]): void {
  const { isTTY, columns } = process.stdout
  if (rows.length > 0) console.log(textTable(rows, isTTY && columns ? { width: columns } : {}))
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
export const secondsText = (ms: number): string => (ms < 59_950 ? `${(ms / 1_000).toFixed(1)} s` : `${Math.floor(Math.round(ms / 1_000) / 60)} min ${Math.round(ms / 1_000) % 60} s`)
