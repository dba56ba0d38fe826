// The class of all errors, and the error of a wrong definition with its place in the user's file.
import { defineErrorName } from '../value/error.ts'
import type { ErrorCode } from './error-code.ts'

export interface SluiceErrorOptions {
  readonly cause?: unknown
  /** A finer code than that of the class, for `explanation`. @default the code of the class */
  readonly explanation?: ErrorCode | undefined
}

/** The class of all errors of Sluice. */
export class SluiceError extends Error {
  /** The code of the class. */
  readonly code: string = 'SLUICE'
  readonly #explanation: ErrorCode | undefined

  constructor(message?: string, { cause, explanation }: SluiceErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.#explanation = explanation
  }

  /** The code that `sluice explain` knows: that of the class, or a finer one. */
  get explanation(): string {
    return this.#explanation ?? this.code
  }

  static {
    defineErrorName(this)
  }
}

/** A place in a file of the user. Lines and columns count from 1. */
export interface Place {
  /** An absolute path. */
  readonly file: string
  readonly line: number
  readonly column?: number
}

export interface UsageErrorOptions extends SluiceErrorOptions {
  /** The name in the definition that is wrong, such as that of an option. */
  readonly mark?: string
  /** Where it stands, if the stack does not say so. */
  readonly place?: Place | undefined
}

/** A definition, an option or the environment is wrong. Nothing was requested. Exit code 2. */
export class UsageError extends SluiceError {
  override readonly code = 'USAGE'
  readonly #mark: string | undefined
  readonly #place: Place | undefined

  constructor(message: string, { mark, place, ...options }: UsageErrorOptions = {}) {
    super(message, options)
    this.#mark = mark
    this.#place = place
  }

  /** The name in the definition that is wrong. */
  get mark(): string | undefined {
    return this.#mark
  }

  /** Where it stands, if the stack does not say so. */
  get place(): Place | undefined {
    return this.#place
  }

  static {
    defineErrorName(this)
  }
}
