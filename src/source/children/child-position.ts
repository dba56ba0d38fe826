// The position of a child stream: a path from the page of parents to the page of the child.
import { PositionLostError } from '../../model/errors.ts'
import type { Page, Position } from '../../model/page.ts'
import { defined } from '../../value/defined.ts'
import { digest } from '../../value/digest.ts'
import type { OpenKind } from './open-children.ts'

/** Stored as JSON in the ledger, so the names of its members must stay the same in all versions. */
export interface ChildPosition {
  /** The position of the parents' source before the page of parents. */
  readonly at: Position
  /** Parents of that page whose children have all been read. */
  readonly done: number
  /** Digest of those parents, and of the one whose child is being read: it shows whether the page has changed. */
  readonly digest: string
  /** The position of the child that is being read; null is its start. */
  readonly child: Position
  /** Present once a record had a child stream. From then on the records of the parents' source count as parents. */
  readonly apart?: true
  /** Children before this position whose readings are open. */
  readonly open?: readonly OpenKind[]
}

export const START: ChildPosition = Object.freeze({ at: null, done: 0, digest: '', child: null })

/** Throws if another kind of source stored the position. */
export function childPosition(position: Position): ChildPosition {
  if (position === null) return START
  const { at, done, digest, child, apart, open } = position as Partial<Record<keyof ChildPosition, Position>>
  if (at === undefined || typeof done !== 'number' || typeof digest !== 'string' || child === undefined)
    throw new PositionLostError('the stored position does not fit this definition. Restarting from the beginning')
  return {
    at,
    done,
    digest,
    child,
    ...defined({
      apart: apart === true ? apart : undefined,
      open: Array.isArray(open) ? (open as unknown as readonly OpenKind[]) : undefined,
    }),
  }
}

/** Returns a position as that of a child stream; undefined if it is another one. */
export function asChildPosition(position: Position): ChildPosition | undefined {
  const isOne =
    typeof position === 'object' &&
    position !== null &&
    'at' in position &&
    'child' in position &&
    typeof (position as { readonly done?: unknown }).done === 'number'
  return isOne ? (position as unknown as ChildPosition) : undefined
}

/** Digests of the first parents of a page, each chained to the one before. */
export class ParentDigests {
  readonly #parents: readonly unknown[]
  /** `#digests[n]` covers the first n parents. */
  readonly #digests: string[] = ['']

  /** `without`: the path of a value that may be another one each time, such as a signed URL. */
  constructor({ records, origins }: Pick<Page, 'records' | 'origins'>, without?: string) {
    this.#parents = without === undefined ? (origins ?? records) : records.map((record) => withoutPath(record, without))
  }

  /** Returns the digest of the first `count` parents, undefined if there are fewer. */
  of(count: number): string | undefined {
    if (count > this.#parents.length) return undefined
    for (let known = this.#digests.length; known <= count; known++)
      this.#digests.push(digest(this.#parents[known - 1], this.#digests[known - 1]))
    return this.#digests[count]
  }
}

/** Returns a copy of a record without the value at a path. */
function withoutPath(record: unknown, path: string): unknown {
  if (typeof record !== 'object' || record === null || Array.isArray(record)) return record
  const members = record as Readonly<Record<string, unknown>>
  if (Object.hasOwn(members, path)) {
    const { [path]: _left, ...others } = members
    return others
  }
  const [name = ''] = path.split('.', 1)
  if (name === path || !Object.hasOwn(members, name)) return record
  return { ...members, [name]: withoutPath(members[name], path.slice(name.length + 1)) }
}
