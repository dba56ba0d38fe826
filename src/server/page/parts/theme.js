// @ts-check
import { h } from './dom.js'

/** Callbacks that draw on a canvas and need the new colours. @type {Set<() => void>} */
const watchers = new Set()

/** Calls back when the page turns light or dark. @param {() => void} watcher @returns {() => void} to stop */
export function onTheme(watcher) {
  watchers.add(watcher)
  return () => watchers.delete(watcher)
}

const notify = () => watchers.forEach((watcher) => watcher())
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', notify)

/** Returns a colour of the style sheet. @param {string} name */
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()

/** Chooses light, dark or the theme of the system; the browser keeps the choice. */
export function themeSwitch() {
  const select = h(
    'select',
    { class: 'theme', 'aria-label': 'Theme', on: { change: () => choose(select.value) } },
    ...['System', 'Light', 'Dark'].map((name) => h('option', { value: name.toLowerCase() }, name)),
  )
  select.value = document.documentElement.dataset['theme'] ?? 'system'
  return select
}

/** @param {string} theme */
function choose(theme) {
  const root = document.documentElement
  if (theme === 'system') delete root.dataset['theme']
  else root.dataset['theme'] = theme
  try {
    if (theme === 'system') localStorage.removeItem('theme')
    else localStorage.setItem('theme', theme)
  } catch {
    // Without storage the choice ends with the page.
  }
  notify()
}
