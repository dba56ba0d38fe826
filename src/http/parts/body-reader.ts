// Reads a large body part by part. A body that breaks off is requested again, and read on behind its last record.
import { createHash, type Hash } from 'node:crypto'
import type { MemoryAccount, MemoryHold } from '../../flow/memory-account.ts'
import { DecodeError, PositionLostError } from '../../model/errors.ts'
import type { Format } from '../../model/format.ts'
import type { ApiResponse } from '../../model/request.ts'
import type { BodyPart, BodyParts, BodyPosition } from '../../model/scope.ts'
import { BrokenBodyError } from '../formats/record-parser.ts'
import { statesLength, type UnpackedBody } from './open-body.ts'
import { openFeed, type FedPart, type RecordFeed } from './record-feed.ts'

/** Bytes of one part. */
export const MAX_PART_BYTES = 1_048_576
/** Characters of a digest. */
const DIGEST_LENGTH = 22

type PartHold = Disposable & Partial<Pick<MemoryHold, 'resize'>>

/** A response whose body is read part by part. */
export interface OpenResponse {
  readonly headers: ApiResponse<unknown>['headers']
  readonly format: Format
  readonly body: UnpackedBody
  /** The memory of its first part. */
  readonly hold: PartHold
}

export interface BodyReaderOptions {
  readonly first: OpenResponse
  /** Requests the body again. */
  readonly reopen: () => Promise<OpenResponse>
  /** Calls a function until it succeeds, as often as the API allows. */
  readonly retry: <T>(work: () => Promise<T>) => Promise<T>
  /** Returns the error of a body that is broken. */
  readonly broken: (error: BrokenBodyError, hasLength: boolean) => Error
  readonly memory: MemoryAccount
  readonly signal: AbortSignal
  readonly from: BodyPosition | undefined
  /** The path of the records. */
  readonly records: string
  /** The largest record. */
  readonly maxBytes: number
  readonly label: string
}

/** A body that is open, and how far it was read. */
interface Reading {
  readonly response: OpenResponse
  readonly feed: RecordFeed
  readonly hash: Hash
  /** Records that were read, also those before the position. */
  records: number
  /** Of the first part, until it is handed on. */
  hold: PartHold | undefined
}

export class BodyReader implements BodyParts {
  readonly #options: BodyReaderOptions
  readonly #partBytes: number
  #position: BodyPosition
  #next: OpenResponse | undefined
  #reading: Reading | undefined
  /** The last response stated where its body ends. */
  #hasLength = true

  constructor(options: BodyReaderOptions) {
    this.#options = options
    this.#partBytes = Math.min(MAX_PART_BYTES, options.maxBytes)
    this.#position = options.from ?? { records: 0, digest: digestOf(createHash('sha256')) }
    this.#next = options.first
  }

  async next(): Promise<BodyPart> {
    return this.#options.retry(async () => {
      try {
        this.#reading ??= await this.#start()
        return await this.#read(this.#reading)
      } catch (error) {
        this[Symbol.dispose]()
        throw error instanceof BrokenBodyError ? this.#options.broken(error, this.#hasLength) : error
      }
    })
  }

  [Symbol.dispose](): void {
    const responses = [this.#next, this.#reading?.response]
    this.#reading?.hold?.[Symbol.dispose]()
    this.#next?.hold[Symbol.dispose]()
    this.#next = undefined
    this.#reading = undefined
    for (const response of responses) response?.body[Symbol.dispose]()
  }

  async #start(): Promise<Reading> {
    const response = this.#next ?? (await this.#options.reopen())
    this.#next = undefined
    const { body, format, headers, hold } = response
    const { records, maxBytes } = this.#options
    this.#hasLength = statesLength(headers)
    const feed = await openFeed(format, body, {
      contentType: headers['content-type'],
      records,
      partBytes: this.#partBytes,
      maxBytes,
    })
    return { response, feed, hash: createHash('sha256'), records: 0, hold }
  }

  /** Returns the next part that has a record, or the last one. */
  async #read(reading: Reading): Promise<BodyPart> {
    const { memory, signal, maxBytes, label } = this.#options
    const { feed } = reading
    using held = new DisposableStack()
    const hold: PartHold = reading.hold ?? (await memory.reserve(this.#partBytes, { signal }))
    held.use(hold)
    reading.hold = undefined
    for (;;) {
      signal.throwIfAborted()
      const fed = await feed.next()
      if (feed.pendingBytes > maxBytes)
        throw new DecodeError(`${label} answered a record of more than ${maxBytes} bytes: raise the API's maxPageSize`)
      hold.resize?.(this.#partBytes + feed.pendingBytes)
      const records = this.#newRecords(reading, fed)
      if (records.length === 0 && !fed.isEnd) continue
      this.#position = { records: reading.records, digest: digestOf(reading.hash) }
      return { records, hold: held.move(), position: this.#position, ...(fed.isEnd && { end: this.#end(reading) }) }
    }
  }

  /** Returns the records behind the position. Throws if those before it are not the same as before. */
  #newRecords(reading: Reading, { part, isEnd }: FedPart): unknown[] {
    const { records: known, digest } = this.#position
    const skipped = Math.min(part.count, Math.max(0, known - reading.records))
    if (reading.records < known) {
      part.addTo(reading.hash, 0, skipped)
      const isReached = reading.records + skipped === known
      if (isReached ? digestOf(reading.hash) !== digest : isEnd) throw this.#changed(known)
    }
    part.addTo(reading.hash, skipped, part.count)
    const records = skipped === part.count ? [] : part.records(skipped)
    reading.records += part.count
    return records
  }

  #end({ feed, response }: Reading): NonNullable<BodyPart['end']> {
    // The end of a list of lines is the end of the connection, if nothing else states where it is.
    const isMarked = response.body.isPacked || response.format.type === 'zip' || feed.envelope !== undefined
    return { envelope: feed.envelope, isProven: isMarked || this.#hasLength }
  }

  #changed(records: number): PositionLostError {
    return new PositionLostError(
      `${this.#options.label} answered another body than before: its first ${records} records have changed. ` +
        'Restarting from the beginning',
    )
  }
}

/** Returns the digest of what a hash has so far. */
const digestOf = (hash: Hash): string => hash.copy().digest('base64url').slice(0, DIGEST_LENGTH)
