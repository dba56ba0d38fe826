// Reads untyped JSON: every member of a description may be missing, or be something else than the standard says.

/** An object of JSON. */
export type Node = Readonly<Record<string, unknown>>

/** Returns the value as an object; an empty one for anything else. */
export const nodeOf = (value: unknown): Node => (isNode(value) ? value : {})

export const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Returns the member as an object; an empty one if it is missing. */
export const nodeAt = (node: Node, name: string): Node => nodeOf(Object.hasOwn(node, name) ? node[name] : undefined)

/** Returns the member as a list; an empty one if it is missing. */
export function listAt(node: Node, name: string): readonly unknown[] {
  const value = Object.hasOwn(node, name) ? node[name] : undefined
  return Array.isArray(value) ? value : []
}

/** Returns the member if it is a text that is not empty. */
export function textAt(node: Node, name: string): string | undefined {
  const value = Object.hasOwn(node, name) ? node[name] : undefined
  return typeof value === 'string' && value.trim() !== '' ? value : undefined
}

/** Returns the member if it is a number. */
export function numberAt(node: Node, name: string): number | undefined {
  const value = Object.hasOwn(node, name) ? node[name] : undefined
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
