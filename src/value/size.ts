/** A number of bytes, or text such as `'64MB'`. A unit is 1,024 of the one before it, as in PostgreSQL. */
export type Size = number | `${number}${'kB' | 'MB' | 'GB'}`

const UNITS: Readonly<Record<string, number>> = { kB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 }

/**
 * Returns a size in bytes. Throws a RangeError if it is not at least one whole byte.
 *
 * @example
 * parseSize('64MB') // 67_108_864
 */
export function parseSize(size: number | string): number {
  const bytes = typeof size === 'number' ? size : Math.round(bytesOf(size))
  if (!Number.isSafeInteger(bytes) || bytes < 1)
    throw new RangeError(
      `${JSON.stringify(size)} is no size: write a whole number of bytes, or a number with kB, MB or GB, as in '64MB'`,
    )
  return bytes
}

function bytesOf(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(kB|MB|GB)$/.exec(text) ?? []
  return Number(number) * (UNITS[unit] ?? Number.NaN)
}
