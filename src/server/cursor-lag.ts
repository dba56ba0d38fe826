/** How far a cursor is behind the clock; undefined where its value is no time. */
export function lagSeconds(value: string, unit: 's' | 'ms' | undefined, now: Date): number | undefined {
  const at =
    unit === undefined
      ? /^\d{4}-\d\d-\d\d/.test(value)
        ? Date.parse(value)
        : Number.NaN
      : Number(value) * (unit === 's' ? 1_000 : 1)
  return Number.isFinite(at) ? Math.round((now.getTime() - at) / 100) / 10 : undefined
}
