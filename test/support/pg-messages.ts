/** A complete message of PostgreSQL's protocol. */
export interface Frame {
  /** The name in the documentation of the protocol. */
  readonly name: string
  readonly bytes: Buffer
  /**
   * The statement of a query, the tag of a completed command, or the fields of an error. Undefined for other messages.
   */
  readonly text: string | undefined
}

const CANCEL = 80_877_102
const SSL = 80_877_103
const GSS = 80_877_104

/** Names by the first byte. `C`, `D`, `E`, `S` and others differ between client and server. */
const CLIENT: Readonly<Record<string, string>> = {
  Q: 'Query',
  P: 'Parse',
  B: 'Bind',
  D: 'Describe',
  E: 'Execute',
  S: 'Sync',
  H: 'Flush',
  C: 'Close',
  X: 'Terminate',
  p: 'Password',
  d: 'CopyData',
  c: 'CopyDone',
  f: 'CopyFail',
  F: 'FunctionCall',
}
const SERVER: Readonly<Record<string, string>> = {
  R: 'Authentication',
  K: 'BackendKeyData',
  S: 'ParameterStatus',
  Z: 'ReadyForQuery',
  T: 'RowDescription',
  D: 'DataRow',
  C: 'CommandComplete',
  E: 'ErrorResponse',
  N: 'NoticeResponse',
  A: 'NotificationResponse',
  I: 'EmptyQueryResponse',
  G: 'CopyInResponse',
  H: 'CopyOutResponse',
  W: 'CopyBothResponse',
  d: 'CopyData',
  c: 'CopyDone',
  '1': 'ParseComplete',
  '2': 'BindComplete',
  '3': 'CloseComplete',
  n: 'NoData',
  t: 'ParameterDescription',
  s: 'PortalSuspended',
  v: 'NegotiateProtocolVersion',
}

/**
 * Cuts one direction of a connection into complete messages. The chunks of the network may be cut anywhere. The first
 * messages of a client have no type byte (startup, SSL request, cancel). The response to an SSL request is one byte.
 */
export class Framer {
  readonly #from: 'client' | 'server'
  #rest: Buffer[] = []
  #length = 0
  #starting: boolean
  #bareAnswers = 0

  constructor(from: 'client' | 'server') {
    this.#from = from
    this.#starting = from === 'client'
  }

  /** For the direction of the server: the client has requested SSL, so the next byte is the whole response. */
  expectBareAnswer(): void {
    this.#bareAnswers++
  }

  /** Returns the messages that are complete, and keeps the start of the next one. */
  push(chunk: Buffer): Frame[] {
    this.#rest.push(chunk)
    this.#length += chunk.length
    const frames: Frame[] = []
    for (let size = this.#size(); size !== undefined && size <= this.#length; size = this.#size())
      frames.push(this.#frame(this.#take(size)))
    return frames
  }

  /** Returns the length of the next message, or undefined if its header is not complete. */
  #size(): number | undefined {
    if (this.#bareAnswers > 0) return 1
    const at = this.#starting ? 0 : 1
    if (this.#length < at + 4) return undefined
    if (this.#rest[0]!.length < at + 4) this.#rest = [Buffer.concat(this.#rest)]
    return at + this.#rest[0]!.readUInt32BE(at)
  }

  #take(size: number): Buffer {
    if (this.#rest[0]!.length < size) this.#rest = [Buffer.concat(this.#rest)]
    const [first] = this.#rest as [Buffer]
    this.#length -= size
    if (first.length === size) this.#rest.shift()
    else this.#rest[0] = first.subarray(size)
    return first.subarray(0, size)
  }

  #frame(bytes: Buffer): Frame {
    if (this.#bareAnswers > 0) {
      this.#bareAnswers--
      return { name: 'EncryptionAnswer', bytes, text: undefined }
    }
    if (this.#starting) return this.#start(bytes)
    const letter = String.fromCharCode(bytes[0]!)
    const name = (this.#from === 'client' ? CLIENT : SERVER)[letter] ?? `unknown message ${JSON.stringify(letter)}`
    return { name, bytes, text: textOf(name, bytes) }
  }

  #start(bytes: Buffer): Frame {
    const code = bytes.readUInt32BE(4)
    if (code === SSL || code === GSS) return { name: 'EncryptionRequest', bytes, text: undefined }
    this.#starting = false
    if (code === CANCEL) return { name: 'CancelRequest', bytes, text: undefined }
    return { name: 'Startup', bytes, text: bytes.toString('utf8', 8).replaceAll('\0', ' ').trim() }
  }
}

function textOf(name: string, bytes: Buffer): string | undefined {
  switch (name) {
    case 'Query':
    case 'CommandComplete':
      return bytes.toString('utf8', 5, bytes.length - 1)
    // A name and the statement, each ended by a NUL.
    case 'Parse':
      return bytes.toString('utf8', bytes.indexOf(0, 5) + 1, bytes.indexOf(0, bytes.indexOf(0, 5) + 1))
    case 'Bind':
    case 'ErrorResponse':
    case 'NoticeResponse':
      return bytes.toString('utf8', 5).replaceAll('\0', ' ').trim()
    case 'ReadyForQuery':
      return bytes.toString('latin1', 5)
    default:
      return undefined
  }
}
