import type { Auth } from '../../model/request.ts'
import type { RequestToSign, Signature } from '../../model/signature.ts'
import type { Secrets } from '../../model/scope.ts'
import { secretsOf } from '../../model/secrets-of.ts'
import type { Authorization } from './authorization.ts'

type AwsAuth = Extract<Auth, { type: 'aws signature' }>

/** What the signature covers besides method, URL and body. A proxy may change other headers on the way. */
const SIGNED_HEADERS = /^(?:content-type$|x-amz-)/
/** `content-length` is signed by default, but is added only when the request is sent. */
const NOT_SIGNED = { 'content-length': true }

/** Returns credentials that sign each request by AWS Signature Version 4, at the time of `now`. */
export function awsAuthorization(
  auth: AwsAuth,
  { secrets, now }: { readonly secrets: Secrets; readonly now: () => Date },
): Authorization {
  const value = ({ secret }: { readonly secret: string }): string => secrets.value(secret)
  return {
    secrets: secretsOf(auth),
    parameters: [],
    credentials: async () => {
      const { default: aws4 } = await import('aws4')
      const sign = ({ method, url, headers, bytes }: RequestToSign): Signature => {
        const request = {
          service: auth.service,
          region: auth.region,
          method,
          host: url.host,
          path: url.pathname + url.search,
          headers: {
            ...Object.fromEntries(Object.entries(headers).filter(([name]) => SIGNED_HEADERS.test(name))),
            'x-amz-date': now()
              .toISOString()
              .replace(/[:-]|\.\d+/g, ''),
          },
          body: bytes.length === 0 ? '' : Buffer.from(bytes),
          extraHeadersToIgnore: NOT_SIGNED,
        }
        const { headers: signed = {} } = aws4.sign(request, {
          accessKeyId: value(auth.accessKeyId),
          secretAccessKey: value(auth.secretAccessKey),
          ...(auth.sessionToken && { sessionToken: value(auth.sessionToken) }),
        })
        return { headers: addedHeaders(signed) }
      }
      return { headers: {}, query: {}, sign }
    },
    renew: () => false,
  }
}

/** Leaves out `host` and `content-length`, which the connection adds itself. */
function addedHeaders(headers: object): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, text]: [string, unknown]) => {
      const lower = name.toLowerCase()
      return lower === 'host' || lower === 'content-length' ? [] : [[lower, String(text)]]
    }),
  )
}
