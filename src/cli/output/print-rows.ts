import { exactJson } from '../../value/json/stored-json.ts'
import { textTable, type TextTableOptions } from './text-table.ts'

/** Prints rows as a table that fits the terminal. */
export function printTable(
  rows: readonly Readonly<Record<string, unknown>>[],
  { optional = [] }: Pick<TextTableOptions, 'optional'> = {},
): void {
  const { isTTY, columns } = process.stdout
  if (rows.length > 0) console.log(textTable(rows, isTTY && columns ? { width: columns, optional } : {}))
}

/** Prints one JSON value per line, with every digit of its numbers. */
export function printJsonLines(values: readonly unknown[]): void {
  for (const value of values) console.log(exactJson(value))
}
