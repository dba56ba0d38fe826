// What a response means: its decoded body, and the rule that fits it.
import { DecodeError } from '../model/errors.ts'
import type { Format } from '../model/format.ts'
import type { RuleData, RuleResponse } from '../model/response-rule.ts'
import type { BodyFaults } from '../model/scope.ts'
import { parseJson } from '../value/json/parse-json.ts'
import { decodeUtf8 } from '../value/utf8.ts'
import { decodeBody, type DecodedFormat } from './formats/decode-body.ts'
import { statesLength } from './parts/open-body.ts'
import { TransientError } from './request-error.ts'
import { isSuccess, type ResponseRules } from './rules/response-rules.ts'

/** A rule sees this much of a body as text. */
const MAX_TEXT_LENGTH = 65_536

export interface Interpretation {
  /** The response as a rule sees it. The body is undefined if it is no JSON. */
  readonly seen: RuleResponse
  readonly rule: RuleData | undefined
  readonly faults?: BodyFaults | undefined
  /** The records, where the format finds them itself. */
  readonly found?: readonly unknown[] | undefined
  /** The error of the body of a success, if no rule fits. */
  readonly error?: DecodeError | TransientError | undefined
}

export interface InterpretOptions {
  readonly rules: ResponseRules
  /** The format that the request names. */
  readonly format: Format | undefined
  /** The path of the records, if it is one. */
  readonly records: string | undefined
  /** Size limit of a decoded body. */
  readonly maxBytes: number
  readonly label: string
  readonly hide: (text: string) => string
}

/** Decodes a body and finds the rule. `bytes` is undefined if the response has no body, or none that is needed. */
export async function interpret(
  {
    status,
    headers,
    url,
    bytes,
    begin = bytes,
  }: Omit<RuleResponse, 'text' | 'body'> & {
    readonly bytes: Buffer | undefined
    /** The first part of a body that is read part by part. */
    readonly begin?: Buffer | undefined
  },
  { rules, label, hide, ...how }: InterpretOptions,
): Promise<Interpretation> {
  const {
    body,
    faults,
    records: found,
    error,
  } = bytes ? await bodyOf(bytes, { status, headers, url, label, hide, ...how }) : { body: undefined }
  let text: string | undefined
  const seen: RuleResponse = {
    status,
    headers,
    url,
    body,
    // Most rules do not read it.
    get text() {
      return (text ??= begin ? decodeUtf8(begin.subarray(0, MAX_TEXT_LENGTH)) : '')
    },
  }
  return { seen, rule: rules.fitting(seen, label), faults, found, error }
}

type BodyOptions = Pick<RuleResponse, 'status' | 'headers' | 'url'> & Omit<InterpretOptions, 'rules'>

async function bodyOf(
  bytes: Buffer,
  { status, headers, ...how }: BodyOptions,
): Promise<DecodedFormat & Pick<Interpretation, 'error'>> {
  if (!isSuccess(status)) return { body: failureBody(bytes) }
  try {
    return await decodeBody(bytes, {
      ...how,
      status,
      contentType: headers['content-type'],
      hasLength: statesLength(headers),
    })
  } catch (error) {
    if (error instanceof DecodeError || error instanceof TransientError) return { body: undefined, error }
    throw error
  }
}

/** Returns the body of a failure; undefined if it is no JSON, as many are. */
function failureBody(bytes: Buffer): unknown {
  try {
    return parseJson(bytes)
  } catch {
    return undefined
  }
}
