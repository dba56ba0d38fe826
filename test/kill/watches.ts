import type { Message } from '../support/pg-proxy.ts'
import type { Place } from './place.ts'
import type { Numbered, Rig } from './rig.ts'
import type { SluiceRun } from './sluice.ts'

/** When, beside a message, something happens. */
export type When = 'before' | 'after'

/**
 * Starts a run that is killed right before or after its n-th message; answers where that was, or undefined where it
 * ended earlier.
 */
export async function killedAtMessage(rig: Rig, n: number, when: When): Promise<Place | undefined> {
  let place: Place | undefined
  const strike = (message: Message, at: number): void => {
    if (at !== n) return
    place = rig.whereabouts.placeOf(message)
    run.kill()
    rig.proxy.freeze()
  }
  const run: SluiceRun = rig.start({ watch: when === 'before' ? { before: strike } : { after: strike } })
  await run.ended
  rig.proxy.thaw()
  return place
}

/**
 * Starts a run that is killed right after the first message that leaves it in this place: one that a count of messages
 * meets by chance only.
 */
export async function killedAtPlace(rig: Rig, wanted: Place): Promise<Place | undefined> {
  let place: Place | undefined
  const strike = (message: Message): void => {
    if (place !== undefined || rig.whereabouts.placeOf(message) !== wanted) return
    place = wanted
    run.kill()
    rig.proxy.freeze()
  }
  const run: SluiceRun = rig.start({ watch: { after: strike } })
  await run.ended
  rig.proxy.thaw()
  return place
}

/** Starts a run that is killed right before the API answers its n-th request, or right after. */
export async function killedAtRequest(rig: Rig, n: number, when: When): Promise<Place | undefined> {
  let place: Place | undefined
  const strike = (at: number): void => {
    if (at !== n) return
    place = rig.whereabouts.now()
    run.kill()
  }
  rig.api.options[when] = strike
  const run: SluiceRun = rig.start()
  await run.ended
  delete rig.api.options[when]
  return place
}

/** Starts a run that is killed after so many milliseconds; what it has sent by then goes its way. */
export async function killedAtInstant(rig: Rig, ms: number): Promise<Place | undefined> {
  let place: Place | undefined
  const run = rig.start()
  const timer = setTimeout(() => {
    place = run.isRunning ? rig.whereabouts.now() : undefined
    run.kill()
  }, ms)
  await run.ended
  clearTimeout(timer)
  return place
}

/**
 * Messages after which the other side has something to do: for these, right before and right after are two different
 * instants. `ReadyForQuery` is none of them: the client acts upon it, and is killed before its next message anyway.
 */
const TURNING = new Set([
  'Startup',
  'Password',
  'Query',
  'Sync',
  'CopyData',
  'CopyDone',
  'Terminate',
  'Execute',
  'CopyInResponse',
  'ErrorResponse',
])

/** Returns true if the other side has something to do after this message. */
export const isTurning = ({ name, text }: Pick<Message, 'name' | 'text'>): boolean =>
  TURNING.has(name) || text === 'COMMIT'

/** Returns true if this statement commits a batch. */
export const isBatchCommit = ({ from, name, text }: Message): boolean =>
  from === 'client' && name === 'Query' && /sluice\.advance\s*\(/.test(text!) && /commit\s*;?\s*$/i.test(text!)
/** Returns the slice whose batch this statement commits. */
export const sliceOf = ({ text }: Message): number => Number(/sluice\.advance\s*\(\s*(\d+)/.exec(text ?? '')?.[1])
/** Returns true if this statement starts to send the rows of a batch. */
export const isCopy = ({ from, name, text }: Message): boolean =>
  from === 'client' && name === 'Query' && /\bcopy\b[^;]*\bfrom stdin/i.test(text!)

/** Drops the reply to each commit once, so that the client does not know its outcome. */
export function losingAnswers(): Numbered & { readonly lost: number } {
  const committing = new Set<number>()
  const known = new Set<string>()
  let lost = 0
  return {
    get lost() {
      return lost
    },
    before(message) {
      if (isBatchCommit(message) && !known.has(message.text!)) {
        known.add(message.text!)
        committing.add(message.link.id)
      }
      if (
        message.from === 'server' &&
        message.name === 'CommandComplete' &&
        message.text === 'COMMIT' &&
        committing.delete(message.link.id)
      ) {
        lost++
        message.link.cut()
        return 'drop'
      }
      return undefined
    },
  }
}

/** Each commit is lost on its way to the server, once. */
export function losingCommits(): Numbered & { readonly lost: number } {
  const known = new Set<string>()
  let lost = 0
  return {
    get lost() {
      return lost
    },
    before(message) {
      if (!isBatchCommit(message) || known.has(message.text!)) return undefined
      known.add(message.text!)
      lost++
      message.link.cut()
      return 'drop'
    },
  }
}

/**
 * Holds the n-th commit of a batch back, with its session alive in the server: `deliver` hands it over later and
 * answers what the server said to it. A process that died may have such a backend.
 */
export class HeldCommit {
  readonly #n: number
  #seen = 0
  #message: Message | undefined
  readonly #held = Promise.withResolvers<Message>()
  readonly #answer = Promise.withResolvers<string>()

  constructor(n: number) {
    this.#n = n
  }

  /** Resolved once the commit is held. */
  get held(): Promise<Message> {
    return this.#held.promise
  }

  get isHeld(): boolean {
    return this.#message !== undefined
  }

  readonly before = (message: Message): 'drop' | undefined => {
    if (this.#message === undefined && isBatchCommit(message) && ++this.#seen === this.#n) {
      this.#message = message
      message.link.detach()
      this.#held.resolve(message)
      return 'drop'
    }
    if (
      message.link === this.#message?.link &&
      message.from === 'server' &&
      (message.name === 'ErrorResponse' || message.text === 'COMMIT')
    )
      this.#answer.resolve(message.text ?? '')
    return undefined
  }

  /** The slice that it belongs to. */
  get slice(): number | undefined {
    return this.#message && sliceOf(this.#message)
  }

  async deliver(): Promise<string> {
    const { link, bytes } = await this.held
    link.sendToServer(bytes)
    const answer = await this.#answer.promise
    link.closeServer()
    return answer
  }
}
