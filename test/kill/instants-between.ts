import type { Message } from '../support/pg-proxy.ts'
import { isTurning, type When } from './watches.ts'

/** An instant beside a message of a run, counted from 1. */
export interface Instant {
  readonly n: number
  /** The name of the message, and the statement if it has one. */
  readonly name: string
  readonly when: When
}

type Seen = Pick<Message, 'name' | 'text' | 'from'>

/**
 * Returns one instant of those between two messages that the server acts upon: right after the first one, at one of
 * the answers to it, or right before the second. What the first one has brought about is stored at each of them.
 */
export function instantsBetween(messages: readonly Seen[], random: () => number): Instant[] {
  const instants: Instant[] = []
  let between: Instant[] = []
  const draw = (): void => {
    const one = between[Math.floor(random() * between.length)]
    if (one) instants.push(one)
    between = []
  }
  for (const [at, message] of messages.entries()) {
    const instant = { n: at + 1, name: nameOf(message) }
    if (message.from === 'client' && isTurning(message)) {
      between.push({ ...instant, when: 'before' })
      draw()
      between.push({ ...instant, when: 'after' })
    } else between.push({ ...instant, when: random() < 0.5 ? 'before' : 'after' })
  }
  draw()
  return instants
}

const nameOf = ({ name, text }: Seen): string =>
  name === 'Query' ? `${name} ${text?.trim().slice(0, 40).replaceAll(/\s+/g, ' ')}` : name

/** Keeps what `instantsBetween` needs of the messages that it sees. */
export class SeenMessages {
  readonly all: Seen[] = []
  readonly before = ({ name, text, from }: Message): void => void this.all.push({ name, text, from })
}
