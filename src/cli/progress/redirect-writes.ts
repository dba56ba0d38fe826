/** Puts texts above lines that are written over. */
export interface WriteRedirect extends Disposable {
  readonly put: (text: string) => void
}

/**
 * For as long as it is held, whatever is written to these streams is put above live lines, as soon as a line of it is
 * whole. Else it would stand in their midst, and be written over.
 */
export function redirectWrites(streams: readonly NodeJS.WriteStream[], put: (text: string) => void): WriteRedirect {
  const taken = streams.map((stream) => {
    const write = stream.write.bind(stream)
    const isOwn = Object.hasOwn(stream, 'write')
    let begun = ''
    stream.write = (
      chunk: string | Uint8Array,
      encoding?: BufferEncoding | (() => void),
      done?: () => void,
    ): boolean => {
      const text = begun + (typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString())
      const end = text.lastIndexOf('\n') + 1
      begun = text.slice(end)
      if (end > 0) put(text.slice(0, end))
      const told = typeof encoding === 'function' ? encoding : done
      if (told) queueMicrotask(told)
      return true
    }
    return () => {
      // Back to that of its class, or to what somebody else has put there.
      if (isOwn) stream.write = write
      else Reflect.deleteProperty(stream, 'write')
      if (begun !== '') write(begun)
    }
  })
  return {
    put,
    [Symbol.dispose]() {
      for (const giveBack of taken) giveBack()
    },
  }
}
