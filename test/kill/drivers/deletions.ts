import { BrokenPromise } from '../broken-promise.ts'
import { succeeded } from '../checks.ts'
import type { Databases } from '../databases.ts'
import { unlikeSource, type Kind } from '../deletions/records.ts'
import { DeletionsRig } from '../deletions/rig.ts'
import { contentsOf, placesOf } from '../deletions/state.ts'
import { instantsBetween, SeenMessages, type Instant } from '../instants-between.ts'
import type { Context, Job } from '../job.ts'
import { leftovers } from '../stored.ts'

/**
 * Records that go: announced as deleted, or missing in a list that is mirrored. Their rows go with the lists below
 * them, which are tables of two levels, or are marked; of a history versions end. A new list and a new field come on
 * the same day. Killed once between any two messages that the server acts upon, and at each request.
 *
 * - Right after the kill each stream is as it was after that number of batches in a run that nothing happened to: a row
 *   has gone with its lists, its version has ended and is kept for an undo, or nothing of it.
 * - After the next run everything is as in that run, and as in the source.
 * - A further run touches no row: no version ends twice, and what is gone is not kept a second time.
 */
export async function deletions({ databases, random }: Context, kind: Kind): Promise<Job[]> {
  const { instants, requests, known } = await measured(databases, kind, random)
  const job = (name: string, kill: (rig: DeletionsRig) => Promise<void>): Job => ({
    driver: 'deletions',
    name,
    write: kind === 'missing' ? 'mirror' : 'merge',
    run: async (successor) => {
      await using rig = await DeletionsRig.open(databases, kind, successor)
      await rig.firstDay()
      await kill(rig)
      await known.check(rig, 'after the kill')
      succeeded(await rig.again(), 'the run after it')
      await complete(rig, known, 'after the next run')
      return undefined
    },
  })
  return [
    ...instants.map((instant) =>
      job(`killed ${instant.when} message ${instant.n} (${instant.name})`, (rig) => rig.killedAt(instant)),
    ),
    ...Array.from({ length: requests }, (_, at) =>
      job(`killed before the answer to request ${at + 1}`, (rig) => rig.killedAtRequest(at + 1)),
    ),
  ]
}

/** The run without a kill: what is stored after each of its commits, and its messages. */
async function measured(
  databases: Databases,
  kind: Kind,
  random: () => number,
): Promise<{ readonly instants: readonly Instant[]; readonly requests: number; readonly known: KnownStates }> {
  await using rig = await DeletionsRig.open(databases, kind)
  await rig.firstDay()
  const known = new KnownStates()
  const messages = new SeenMessages()
  await known.note(rig)
  const run = rig.start({
    before: messages.before,
    after: ({ from, text }) => (from === 'server' && text === 'COMMIT' ? known.note(rig) : undefined),
  })
  succeeded(await run.ended, 'the run without a kill')
  await known.note(rig)
  known.end()
  const { requests } = rig
  await complete(rig, known, 'after the run without a kill')
  return { instants: instantsBetween(messages.all, random), requests, known }
}

/** What was stored of each stream after each number of batches. */
class KnownStates {
  readonly #states = new Map<string, string>()
  /** What is stored in the end. */
  readonly #last = new Map<string, string>()
  #fault: unknown
  #noted: Promise<void> = Promise.resolve()

  /** Notes what is stored now, one call after the other. It must be the same as long as no batch was committed. */
  note(rig: DeletionsRig): Promise<void> {
    this.#noted = this.#noteAfter(this.#noted, rig)
    return this.#noted
  }

  async #noteAfter(earlier: Promise<void>, rig: DeletionsRig): Promise<void> {
    await earlier
    try {
      for (const state of await rig.states()) {
        const place = `${state.stream}, ${state.progress}`
        const contents = contentsOf(state)
        const before = this.#states.get(place)
        if (before !== undefined && before !== contents)
          throw unlike(`${place}: changed without a batch`, before, contents)
        this.#states.set(place, contents)
        this.#last.set(state.stream, contents)
      }
    } catch (error) {
      // The run goes on: it would not end without this answer.
      this.#fault ??= error
    }
  }

  /** Throws what was wrong while states were noted. */
  end(): void {
    // As it was thrown.
    // oxlint-disable-next-line only-throw-error
    if (this.#fault !== undefined) throw this.#fault
  }

  /** Throws unless each stream is as it was after the number of batches that it has committed. */
  async check(rig: DeletionsRig, when: string): Promise<void> {
    for (const state of await rig.states()) {
      const place = `${when}, ${state.stream}, ${state.progress}`
      const expected = this.#states.get(`${state.stream}, ${state.progress}`)
      if (expected === undefined) throw new BrokenPromise(`${place}: the run without a kill was never there`)
      if (contentsOf(state) !== expected) throw unlike(place, expected, contentsOf(state))
    }
  }

  /** Throws unless each stream is as after the run without a kill. */
  async checkLast(rig: DeletionsRig, when: string): Promise<void> {
    for (const state of await rig.states()) {
      const expected = this.#last.get(state.stream) ?? ''
      if (contentsOf(state) !== expected) throw unlike(`${when}, ${state.stream}`, expected, contentsOf(state))
      const problem = unlikeSource(rig.kind, state.stream, state.tables)
      if (problem !== undefined) throw new BrokenPromise(`${when}, ${state.stream}: ${problem}`)
    }
  }
}

/** After a run that has succeeded, and after a further one, which must not touch a row. */
async function complete(rig: DeletionsRig, known: KnownStates, when: string): Promise<void> {
  await known.checkLast(rig, when)
  await rig.balances(when)
  const left = await leftovers(rig.direct)
  if (left.length > 0) throw new BrokenPromise(`${when}: tables are left behind: ${left.join(', ')}`)
  const before = await placesOf(rig.direct)
  succeeded(await rig.again(), 'a further run')
  const after = await placesOf(rig.direct)
  if (after !== before) throw unlike('a further run has touched rows', before, after)
  await known.checkLast(rig, 'after a further run')
}

const unlike = (place: string, expected: string, found: string): BrokenPromise =>
  new BrokenPromise(`${place}\n  expected ${excerpt(expected, found)}\n  found    ${excerpt(found, expected)}`)

/** Returns the part of a text in which it differs from another one. */
function excerpt(text: string, other: string): string {
  let at = 0
  while (at < text.length && text[at] === other[at]) at++
  return `…${text.slice(Math.max(0, at - 120), at + 240)}…`
}
