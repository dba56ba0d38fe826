// @ts-check
import { attribute, h, text } from './dom.js'

/**
 * A button that asks the server for something, with what became of it beside the button.
 * One key for each wish: pressed again after an answer that was lost, it means the same wish; after an answer it is a
 * new one.
 * @param {{ label: string, name?: string, class?: string, confirm?: string, ask: (key: string) => Promise<string |
 * void> }} options
 *   `name` is the whole of it for whoever does not see where the button stands; `confirm` is asked for by a second
 * press
 */
export function act({ label, name, class: kind = '', confirm, ask }) {
  const button = h('button', { type: 'button', class: kind, 'aria-label': name })
  const said = h('span', { class: 'said', role: 'status' })
  const root = h('span', { class: 'act' }, button, said)
  let key = crypto.randomUUID()
  let [isAsked, isBusy] = [false, false]
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer
  const settle = () => {
    isAsked = false
    text(button, label)
    attribute(button, 'aria-label', name)
  }
  const press = async () => {
    if (isBusy) return
    clearTimeout(timer)
    if (confirm !== undefined && !isAsked) {
      isAsked = true
      text(button, confirm)
      attribute(button, 'aria-label', name && `${confirm} ${name}`)
      timer = setTimeout(settle, 5_000)
      return
    }
    isBusy = true
    attribute(button, 'aria-disabled', true)
    attribute(said, 'data-failed', undefined)
    text(said, '…')
    try {
      text(said, (await ask(key)) ?? '')
      key = crypto.randomUUID()
    } catch (error) {
      attribute(said, 'data-failed', true)
      text(said, error instanceof Error ? error.message : String(error))
      if (error instanceof Error && 'status' in error) key = crypto.randomUUID()
    }
    isBusy = false
    attribute(button, 'aria-disabled', undefined)
    settle()
  }
  button.addEventListener('click', () => void press())
  settle()
  return {
    root,
    button,
    /** The button now acts on something else: a new key, and no result of the former one. */
    reset: () => {
      key = crypto.randomUUID()
      text(said, '')
      attribute(said, 'data-failed', undefined)
      settle()
    },
    /** @param {string} next @param {string} [nextName] */
    relabel: (next, nextName) => {
      if (next === label && nextName === name) return
      ;[label, name] = [next, nextName]
      if (!isAsked) settle()
    },
  }
}
