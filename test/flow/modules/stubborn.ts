import { Buffer } from 'node:buffer'

/** Sets a flag in shared memory when it starts, and then fails, exits or never ends. */
export default function stubborn({ how, began }: { readonly how: string; readonly began?: Int32Array }): string {
  if (began) {
    Atomics.add(began, 0, 1)
    Atomics.notify(began, 0)
  }
  if (how === 'throw') throw new TypeError('no such country')
  if (how === 'exit') process.exit(3)
  if (how === 'spin') for (;;) Buffer.alloc(1)
  return how
}
