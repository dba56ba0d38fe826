import { columnType } from '../../../src/load/values/column-type.ts'
import { TypeMismatch } from '../../../src/load/values/type-mismatch.ts'
import { valueText } from '../../../src/load/values/value-text.ts'

/** Returns the text that the encoder sends, or undefined if it refuses the value. */
export function encoded(value: unknown, type: string): string | undefined {
  try {
    return valueText(value, columnType(type), { round: false, declared: true })
  } catch (error) {
    if (error instanceof TypeMismatch) return undefined
    throw error
  }
}
