/** `1,234` */
export const formatNumber = (value: number): string =>
  // `toLocaleString` first loads the rules of all languages, which takes 28 ms.
  Number.isSafeInteger(value) ? String(value).replace(THOUSANDS, ',') : value.toLocaleString('en-US')

/** Each place in a whole number where a comma belongs. */
const THOUSANDS = /\B(?=(?:\d{3})+$)/g

/** `1 row`, `1,234 rows`; the plural is needed only where it is not the singular with an s. */
export const formatCount = (value: number, singular: string, plural = `${singular}s`): string =>
  `${formatNumber(value)} ${value === 1 ? singular : plural}`

/** `4.2 s`, `3 min 12 s` */
export const formatSeconds = (ms: number): string =>
  ms < 59_950
    ? `${(ms / 1_000).toFixed(1)} s`
    : `${Math.floor(Math.round(ms / 1_000) / 60)} min ${Math.round(ms / 1_000) % 60} s`

/** `512 kB`, `12 MB` */
export const formatBytes = (bytes: number): string =>
  bytes < 1_048_576 ? `${Math.round(bytes / 1_024)} kB` : `${Math.round(bytes / 1_048_576)} MB`
