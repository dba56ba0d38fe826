import type { Pipeline } from '../../define/pipeline.ts'
import { UsageError } from '../../model/errors.ts'
import type { Window } from '../../model/window.ts'
import { duration } from '../../value/duration.ts'
import type { CutRange } from './calendar-windows.ts'

/** Throws if a window is longer than the longest range that the API of a stream accepts. */
export function rejectLongWindows(
  pipeline: Pipeline,
  streams: readonly string[],
  { window, windows }: Pick<CutRange, 'window' | 'windows'>,
): void {
  const longest = Math.max(...windows.map(lengthOf))
  for (const name of streams) {
    const step = pipeline.streams[name]?.recipe.incremental?.step
    if (step !== undefined && longest > duration(step))
      throw new UsageError(
        `${pipeline.name}.${name}: a window of ${window} is longer than its step '${step}', the longest range that ` +
          'one request may ask for. Choose a window that is no longer than the step, such as --window 1d',
      )
  }
}

const lengthOf = ({ lower, upper }: Window): number => Date.parse(upper) - Date.parse(lower)
