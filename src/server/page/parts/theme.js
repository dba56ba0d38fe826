// @ts-check
import { h } from './dom.js'

/** Whoever draws on a canvas asks for its colours again. @type {Set<() => void>} */
const watchers = new Set()

/** Called when the page turns light or dark. @param {() => void} watcher @returns {() => void} to stop */
export function onTheme(watcher) {
  watchers.add(watcher)
  return () => watchers.delete(watcher)
}

const tell = () => watchers.forEach((watcher) => watcher())
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', tell)

/** The value of a colour that the style sheet names. @param {string} name */
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()

/** Light, dark, or as the system says; kept in this browser. */
export function themeSwitch() {
  const select = h(
    'select',
    { class: 'theme', 'aria-label': 'Theme', on: { change: () => choose(select.value) } },
    ...['system', 'light', 'dark'].map((name) =>
      h('option', { value: name }, name === 'system' ? 'System' : name === 'light' ? 'Light' : 'Dark'),
    ),
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
    // It holds until the page is left, then.
  }
  tell()
}
