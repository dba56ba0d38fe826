// @ts-check
import { attribute, h, text } from './dom.js'

/**
 * A button that sends a request to the server and shows the result beside it.
 * After a lost answer the next press repeats the request with the same key; after an answer it has a new key.
 * @param {{ label: string, name?: string, class?: string, confirm?: string, ask: (key: string) => Promise<string |
 * void> }} options
 *   `name` is the label for screen readers; `confirm` is a question that a second press answers
 */
export function actionButton({ label, name, class: kind = '', confirm, ask }) {
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
