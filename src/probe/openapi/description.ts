// The description of an API: OpenAPI 3.0 and 3.1, and Swagger 2.0.
import { isNode, type Node, nodeOf, textAt } from './node.ts'

/** What a `$ref` leads to. */
export interface Referent {
  readonly value: unknown
  /** The last name of the reference, such as `User` of `#/components/schemas/User`. @default there was none */
  readonly name?: string
  /** A reference that leads nowhere, or into another document. @default none */
  readonly broken?: string
}

/** A chain of references longer than this is a circle. */
const MAX_REFERENCES = 20

/** A parsed description, whose references are followed when they are needed. Circles are therefore harmless. */
export class Description {
  readonly root: Node
  /** The file or the URL that it was read from. */
  readonly place: string
  readonly isSwagger: boolean

  constructor(root: Node, place: string) {
    this.root = root
    this.place = place
    this.isSwagger = textAt(root, 'swagger') !== undefined
  }

  /** Follows a `$ref`, and those that it leads to. A value without one is returned as it is. */
  follow(value: unknown): Referent {
    let referent: Referent = { value }
    for (let count = 0; count < MAX_REFERENCES; count += 1) {
      if (!isNode(referent.value)) return referent
      const reference = textAt(referent.value, '$ref')
      if (reference === undefined) return referent
      if (!reference.startsWith('#/')) return { value: {}, broken: reference }
      const names = reference.slice(2).split('/').map(unescaped)
      const found = this.#at(names)
      if (found === undefined) return { value: {}, broken: reference }
      referent = { value: found, ...nameOf(names) }
    }
    return { value: {}, broken: textAt(nodeOf(referent.value), '$ref') ?? '' }
  }

  /** Follows a `$ref` to an object; an empty one if there is none. */
  nodeOf(value: unknown): Node {
    return nodeOf(this.follow(value).value)
  }

  #at(names: readonly string[]): unknown {
    let value: unknown = this.root
    for (const name of names) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
      value = (value as Node)[name]
    }
    return value
  }
}

/** Only schemas have names that mean something: `#/paths/~1users/get/…/schema` ends in `schema`. */
function nameOf(names: readonly string[]): { name?: string } {
  const isSchema = names.at(-2) === 'schemas' || names.at(-2) === 'definitions'
  const name = names.at(-1)
  return isSchema && name !== undefined ? { name } : {}
}

/** `~1users` → `/users`, as JSON pointers write it; a URL fragment may be percent-encoded besides. */
function unescaped(segment: string): string {
  const text = /%[0-9a-f]{2}/i.test(segment) ? decoded(segment) : segment
  return text.replaceAll('~1', '/').replaceAll('~0', '~')
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
