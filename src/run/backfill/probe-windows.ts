// Reads a few windows of a stream, to know what all of them cost.
import { LinkedSignal } from '../../flow/signals/linked-signal.ts'
import { deadline } from '../../flow/signals/timeout.ts'
import type { RunEvent } from '../../model/event.ts'
import type { Recipe } from '../../model/recipe.ts'
import type { Scope } from '../../model/scope.ts'
import type { Window } from '../../model/window.ts'
import { readSteps, type MovedList } from '../../read/read-steps.ts'
import { isJobSource } from '../../source/jobs/job-source.ts'

/** Windows that are read: the first, those in between, and the last. */
const PROBES = 4

/** What all windows of a stream together may take. Each has an equal part of what is left. */
export const PROBE_LIMITS: ProbeLimits = { requests: 200, ms: 60_000 }

export interface ProbeLimits {
  readonly requests: number
  readonly ms: number
}

/** What a window that was read for an estimate has taken. */
export interface Probe {
  readonly window: Window
  readonly requests: number
  /** Records and parents. */
  readonly records: number
  readonly ms: number
  /** The times of all requests, one after the other. */
  readonly requestMs: number
  /** False: a limit has ended it, so there is more in it. */
  readonly isWhole: boolean
}

/** What reading a stream needs. */
export interface Probing {
  /** Returns the scope of the stream. `onEvent` receives its events. */
  readonly scope: (onEvent: (event: RunEvent) => void) => Scope
  readonly moved: MovedList
}

/**
 * True if reading a window for an estimate changes nothing elsewhere: a job would be started for nothing, and a source
 * of one's own or a stage may note what it has seen.
 */
export const mayBeProbed = ({ source, stages }: Recipe): boolean =>
  'api' in source && !isJobSource(source) && !stages.some(({ type }) => type === 'tap' || type === 'offload')

/** Reads some of the windows one after the other, and stores nothing. */
export async function probeWindows(
  recipe: Recipe,
  windows: readonly Window[],
  { probing, limits = PROBE_LIMITS }: { readonly probing: Probing; readonly limits?: ProbeLimits | undefined },
): Promise<Probe[]> {
  const current: { probe: OneProbe | undefined } = { probe: undefined }
  const scope = probing.scope((event) => current.probe?.note(event))
  const chosen = chosenOf(windows)
  const probes: Probe[] = []
  for (const [index, window] of chosen.entries()) {
    const left = (name: 'requests' | 'ms'): number =>
      (limits[name] - probes.reduce((sum, one) => sum + one[name], 0)) / (chosen.length - index)
    using probe = new OneProbe(scope.signal, { requests: left('requests'), ms: left('ms') })
    current.probe = probe
    probes.push(await probe.read(recipe, window, { scope, moved: probing.moved }))
  }
  return probes
}

/** The reading of one window, until a limit ends it. */
class OneProbe implements Disposable {
  readonly #limits: ProbeLimits
  readonly #resources = new DisposableStack()
  readonly #link: LinkedSignal
  readonly #startedAt = performance.now()
  #requests = 0
  #requestMs = 0

  constructor(signal: AbortSignal, limits: ProbeLimits) {
    this.#limits = limits
    const time = this.#resources.use(deadline(signal, Math.max(1, limits.ms), 'The estimate'))
    this.#link = this.#resources.use(new LinkedSignal(time.signal))
  }

  note(event: RunEvent): void {
    if (event.type !== 'request.finished') return
    this.#requests += 1
    this.#requestMs += event.ms
    if (this.#requests >= this.#limits.requests) this.#link.abort(new LimitReached())
  }

  async read(
    recipe: Recipe,
    window: Window,
    { scope, moved }: { readonly scope: Scope; readonly moved: MovedList },
  ): Promise<Probe> {
    const { signal } = this.#link
    const range = { since: window.lower, until: window.upper }
    let [records, isWhole] = [0, true]
    try {
      for await (const page of readSteps(recipe, range, { ...scope, signal }, moved)) {
        records += page.counts.fetched + page.counts.parents
        page.hold?.[Symbol.dispose]()
      }
    } catch (error) {
      if (scope.signal.aborted || !signal.aborted) throw error
      isWhole = false
    }
    const ms = performance.now() - this.#startedAt
    return { window, requests: this.#requests, records, ms, requestMs: this.#requestMs, isWhole }
  }

  [Symbol.dispose](): void {
    this.#resources[Symbol.dispose]()
  }
}

/** Ends a window that has sent its part of the requests. */
class LimitReached extends Error {}

/** Returns the windows to read: evenly spread, with the first and the last. */
function chosenOf(windows: readonly Window[]): Window[] {
  const count = Math.min(PROBES, windows.length)
  const last = windows.length - 1
  const indexes = Array.from({ length: count }, (_, n) => (count === 1 ? 0 : Math.round((n * last) / (count - 1))))
  return [...new Set(indexes)].flatMap((index) => windows[index] ?? [])
}
