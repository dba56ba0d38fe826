/**
 * Sets the name of an error class on its prototype, where `Error` itself has it: not enumerable, so an inspected error
 * does not list it. Subclasses call it for themselves.
 *
 * @example
 * class ChannelClosedError extends Error {
 *   static {
 *     defineErrorName(this)
 *   }
 * }
 */
export function defineErrorName(type: { readonly prototype: Error; readonly name: string }): void {
  Object.defineProperty(type.prototype, 'name', {
    value: type.name,
    enumerable: false,
    configurable: true,
    writable: true,
  })
}

/** Returns the message of an error, or the text of any other value that was thrown. */
export function messageOf(error: unknown): string {
  return Error.isError(error) ? error.message : String(error)
}

/** Returns an error unchanged, and wraps any other value that was thrown in one. */
export function toError(error: unknown): Error {
  return Error.isError(error) ? error : new Error(String(error))
}
