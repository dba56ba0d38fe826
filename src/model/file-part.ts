// A file in a multipart form: what a definition says of it, as plain data.
import type { Bound, BoundText } from './bound.ts'

/** What a function returns as the content of a file. */
export type FileBytes = string | Uint8Array

/** A part of a `multipart/form-data` body with a name of a file or a content type, as `filePart()` returns it. */
export interface FilePart {
  readonly part: 'file'
  /** Text; a text with bounds, filled in for each range; or a function, called for each request. */
  readonly content: string | Bound | BoundText | (() => FileBytes | Promise<FileBytes>)
  /** The content is bytes, written as base64 so that a definition stays JSON. */
  readonly encoding?: 'base64'
  /** False: none is sent. @default the name of the field */
  readonly filename?: string | false
  /** @default `text/plain; charset=utf-8` for text, `application/octet-stream` for bytes */
  readonly contentType?: string
}

/** Files by the name of their field. */
export type FileParts = Readonly<Record<string, FilePart | readonly FilePart[]>>

export const isFilePart = (value: unknown): value is FilePart =>
  typeof value === 'object' && value !== null && 'part' in value && value.part === 'file' && 'content' in value
