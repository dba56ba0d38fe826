/** While held, writes to the streams go to a function. Disposing restores the streams. */
export interface WriteRedirect extends Disposable {
  readonly put: (text: string) => void
}

/**
 * Redirects writes to these streams to `put`, in complete lines. Output of a pipeline's own functions would otherwise
 * appear between the live lines and be overwritten.
 */
export function redirectWrites(streams: readonly NodeJS.WriteStream[], put: (text: string) => void): WriteRedirect {
  const restores = streams.map((stream) => {
    const write = stream.write.bind(stream)
    const isOwn = Object.hasOwn(stream, 'write')
    let partialLine = ''
    stream.write = (
      chunk: string | Uint8Array,
      encoding?: BufferEncoding | (() => void),
      done?: () => void,
    ): boolean => {
      const text = partialLine + (typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString())
      const end = text.lastIndexOf('\n') + 1
      partialLine = text.slice(end)
      if (end > 0) put(text.slice(0, end))
      const callback = typeof encoding === 'function' ? encoding : done
      if (callback) queueMicrotask(callback)
      return true
    }
    return () => {
      // The method of the class, or the one that was set on the stream before.
      if (isOwn) stream.write = write
      else Reflect.deleteProperty(stream, 'write')
      if (partialLine !== '') write(partialLine)
    }
  })
  return {
    put,
    [Symbol.dispose]() {
      for (const restore of restores) restore()
    },
  }
}
