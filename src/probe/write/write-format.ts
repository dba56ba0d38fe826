import type { Format } from '../../model/format.ts'
import { call, objectLiteral, quoted } from './text.ts'

/** Returns a format as a pipeline file writes it, such as `csv({ delimiter: ';' })`. */
export function formatText({ type, ...options }: Format): string {
  const members = Object.entries(options).map(([name, value]: [string, unknown]) => [name, memberText(name, value)])
  return call(type, objectLiteral(Object.fromEntries(members) as Record<string, string>))
}

function memberText(name: string, value: unknown): string {
  if (name === 'format') return formatText(value as Format)
  if (Array.isArray(value)) return `[${value.map((item) => quoted(String(item))).join(', ')}]`
  return typeof value === 'string' ? quoted(value) : String(value)
}
