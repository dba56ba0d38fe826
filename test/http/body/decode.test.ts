import { expect, test } from '@jest/globals'
import { decodeJson } from '../../../src/http/body/decode.ts'
import { TransientError } from '../../../src/http/request-error.ts'
import { DecodeError } from '../../../src/model/errors.ts'

test('a body that is not JSON is quoted in message and cause without its secrets', () => {
  const options = {
    status: 200,
    contentType: 'text/plain',
    hasLength: true,
    label: 'GET /x',
    hide: (text: string) => text.replaceAll('s3cr3t', '***'),
  }
  for (const body of ['key=abc123', 's3cr3t']) {
    let error: unknown
    try {
      decodeJson(Buffer.from(body), options)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(TransientError)
    const { message, final } = error as TransientError & { final: Error }
    expect(final).toBeInstanceOf(DecodeError)
    expect(`${message} ${final.message} ${(final.cause as Error).message}`).not.toMatch(/abc123|s3cr3t/)
  }
})
