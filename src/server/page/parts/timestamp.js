// @ts-check
import { attribute, h, text } from './dom.js'
import { age, clock, instant, lasting } from './format.js'
import { store } from '../data/store.js'

/**
 * The timestamps on the page that change with time. @type {Set<WeakRef<{ root: HTMLElement, tick: () => void }>>}
 */
const ticking = new Set()
setInterval(() => {
  for (const reference of ticking) {
    const stamp = reference.deref()
    if (!stamp) ticking.delete(reference)
    else if (stamp.root.isConnected) stamp.tick()
  }
}, 1_000)

/**
 * A time relative to now, with the full time as a tooltip. @param {'ago' | 'in' |
 * 'clock' | 'since'} how
 */
export function timestamp(how) {
  const root = h('time', { class: 'stamp' })
  /** @type {string | null | undefined} */
  let value
  const tick = () => {
    if (!value) return
    const ms = store.now - Date.parse(value)
    if (how === 'clock') text(root, clock(value, store.now))
    else if (how === 'since') text(root, lasting(ms))
    else if (ms < 0) text(root, `in ${age(-ms)}`)
    else text(root, how === 'in' && ms < 2_000 ? 'now' : `${age(ms)} ago`)
  }
  const self = {
    root,
    tick,
    /** @param {string | null | undefined} next @param {string} [otherwise] shown without a time */
    update: (next, otherwise = '–') => {
      value = next
      attribute(root, 'datetime', next ?? undefined)
      attribute(root, 'title', next ? instant(next) : undefined)
      if (next) tick()
      else text(root, otherwise)
    },
  }
  ticking.add(new WeakRef(self))
  // Keeps the timestamp alive as long as its element.
  kept.set(root, self)
  return self
}

/** @type {WeakMap<HTMLElement, object>} */
const kept = new WeakMap()
