// @ts-check

/**
 * Attributes of an element: a text, true for an attribute without a value, undefined for none; `on` has listeners.
 * @typedef {Record<string, string | number | boolean | undefined | Record<string, (event: any) => void>>} Attributes
 * @typedef {Node | string | undefined | false} Child
 */

/**
 * A part of the page that is made once and updated often; `end` is called when it is removed.
 * @template Item
 * @typedef {{ root: Element, update: (item: Item) => void, end?: () => void }} Part
 */

const svgNames = new Set(['svg', 'path', 'circle', 'rect', 'line'])

/**
 * Makes an element. Text becomes a text node: no record and no error can become markup.
 * @template {string} Name
 * @param {Name} name
 * @param {Attributes} [attributes]
 * @param {...Child} children
 * @returns {Name extends keyof HTMLElementTagNameMap ? HTMLElementTagNameMap[Name] : HTMLElement}
 */
export function h(name, attributes = {}, ...children) {
  const element = /** @type {HTMLElement} */ (
    svgNames.has(name) ? document.createElementNS('http://www.w3.org/2000/svg', name) : document.createElement(name)
  )
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'object')
      for (const [type, listener] of Object.entries(value)) element.addEventListener(type, listener)
    else attribute(element, key, value)
  }
  element.append(...children.filter((child) => child !== undefined && child !== false))
  // eslint-disable-next-line typescript/no-unsafe-return -- no cast reaches the conditional type of the name
  return /** @type {any} */ (element)
}

/**
 * Sets an attribute only if it changes: otherwise screen readers would announce it again.
 * @param {Element} element
 * @param {string} name
 * @param {string | number | boolean | undefined} value
 */
export function attribute(element, name, value) {
  if (value === undefined || value === false) element.removeAttribute(name)
  else if (element.getAttribute(name) !== (value === true ? '' : String(value)))
    element.setAttribute(name, value === true ? '' : String(value))
}

/**
 * Sets the text of an element only if it changes, so that a selection stays.
 * @param {Element} element
 * @param {string | number} value
 */
export function text(element, value) {
  if (element.textContent !== String(value)) element.textContent = String(value)
}

/**
 * Updates a list on the page. An item keeps its element, and its focus, as long as its key is there.
 * @template Item
 * @param {Element} parent holds nothing else
 * @param {readonly Item[]} items
 * @param {(item: Item) => string} key
 * @param {(item: Item) => Part<Item>} make
 */
export function list(parent, items, key, make) {
  const known =
    /** @type {Map<string, Part<Item>> | undefined} */ (parts.get(parent)) ??
    /** @type {Map<string, Part<Item>>} */ (new Map())
  const wanted = new Map(items.map((item) => [key(item), item]))
  for (const [name, part] of known) {
    if (wanted.has(name)) continue
    part.root.remove()
    part.end?.()
    known.delete(name)
  }
  let place = parent.firstElementChild
  for (const [name, item] of wanted) {
    let part = known.get(name)
    if (!part) known.set(name, (part = make(item)))
    part.update(item)
    if (part.root === place) place = place?.nextElementSibling ?? null
    else parent.insertBefore(part.root, place)
  }
  parts.set(parent, known)
}

/** @type {WeakMap<Element, Map<string, Part<any>>>} */
const parts = new WeakMap()

/**
 * Shows or hides an element.
 * @param {Element} element
 * @param {boolean} isShown
 */
export function show(element, isShown) {
  attribute(element, 'hidden', !isShown)
}
