import type { StreamPhase, StreamProgress } from './stream-progress.ts'

/** Streams that need attention are shown first if the screen cannot show all. */
const BY_URGENCY: readonly StreamPhase[] = ['running', 'failed', 'waiting', 'stopped', 'done']

/** Returns the lines of all streams if they fit the height. Otherwise shows the most urgent and counts the others. */
export function linesThatFit(
  streams: readonly StreamProgress[],
  linesOf: (streams: readonly StreamProgress[]) => string[],
  height: number,
  dim: (text: string) => string,
): string[] {
  const all = linesOf(streams)
  if (all.length <= height) return all
  const sorted = streams.toSorted((a, b) => BY_URGENCY.indexOf(a.phase) - BY_URGENCY.indexOf(b.phase))
  const lines: string[] = []
  const hidden: StreamProgress[] = []
  for (const stream of sorted) {
    const own = linesOf([stream])
    if (hidden.length === 0 && lines.length + own.length < height) lines.push(...own)
    else hidden.push(stream)
  }
  const counted = BY_URGENCY.map((phase) => [hidden.filter((one) => one.phase === phase).length, phase] as const)
    .filter(([number]) => number > 0)
    .map(([number, phase]) => `${number} ${phase}`)
  return [...lines, dim(`and ${counted.join(', ')}`)]
}
