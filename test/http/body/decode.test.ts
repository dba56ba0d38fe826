import { expect, test } from '@jest/globals'
import { decodeJson } from '../../../src/http/body/decode.ts'
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
    expect(error).toBeInstanceOf(DecodeError)
    const { message, cause } = error as DecodeError
    expect(`${message} ${(cause as Error).message}`).not.toMatch(/abc123|s3cr3t/)
  }
})
