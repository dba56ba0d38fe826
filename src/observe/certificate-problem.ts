export type CertificateProblem = 'not trusted' | 'expired' | 'not yet valid' | 'for another host'

/** By the codes of OpenSSL, which Node gives its errors. */
const PROBLEMS = new Map<unknown, CertificateProblem>([
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'not trusted'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'not trusted'],
  ['UNABLE_TO_GET_ISSUER_CERT', 'not trusted'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'not trusted'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'not trusted'],
  ['CERT_UNTRUSTED', 'not trusted'],
  ['CERT_REJECTED', 'not trusted'],
  ['CERT_SIGNATURE_FAILURE', 'not trusted'],
  ['INVALID_CA', 'not trusted'],
  ['CERT_HAS_EXPIRED', 'expired'],
  ['CERT_NOT_YET_VALID', 'not yet valid'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'for another host'],
])

/** Returns what TLS found wrong with the certificate of a server, or undefined if an error has another reason. */
export function certificateProblem(error: unknown): CertificateProblem | undefined {
  return Error.isError(error) && 'code' in error ? PROBLEMS.get(error.code) : undefined
}
