import { UsageError } from '../../model/errors.ts'
import type { RequestToSign } from '../../model/signature.ts'
import type { RequestBody } from '../prepare-request.ts'

/** Returns a request as a function that signs it gets it. Bytes that are no text are not taken for text. */
export function toSign(
  { method, url, headers }: Pick<RequestToSign, 'method' | 'url' | 'headers'>,
  body: RequestBody | undefined,
): RequestToSign {
  const content = body?.content ?? ''
  return {
    method,
    url,
    headers,
    get body() {
      if (typeof content === 'string') return content
      throw new UsageError('the body is no text, because of a file in it. Sign request.bytes instead of request.body')
    },
    get bytes() {
      return Buffer.from(content as string)
    },
  }
}
