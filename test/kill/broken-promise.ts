/** A promise that was broken, and how. */
export class BrokenPromise extends Error {
  override readonly name = 'BrokenPromise'
}
