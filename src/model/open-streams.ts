import type { Report } from './report.ts'

/** Returns the streams of a run whose reading could not prove that it has read everything. */
export const openStreams = (streams: Report['streams']): string[] =>
  Object.entries(streams)
    .filter(([, { completeness }]) => completeness?.grade === 'open')
    .map(([name]) => name)
