/** An object without its `undefined` members, as optional properties want it under `exactOptionalPropertyTypes`. */
export type Defined<T> = {
  [Name in keyof T as undefined extends T[Name] ? Name : never]?: Exclude<T[Name], undefined>
} & { [Name in keyof T as undefined extends T[Name] ? never : Name]: T[Name] }

/**
 * Returns a copy of an object without the members that are `undefined`.
 *
 * @example
 * send(request, { signal, ...defined({ headers, timeout }) })
 */
export function defined<T extends object>(members: T): Defined<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Defined<T>
}
