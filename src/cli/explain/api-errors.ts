// Errors of requests, responses and readings.
import type { ErrorCode } from '../../model/error-code.ts'
import type { Explanation } from './explanation.ts'

export const API_ERRORS = {
  HTTP_NOT_FOUND: {
    happened: 'The API answered 404: there is nothing at this path.',
    causes: ['The path is wrong, or the base URL has a prefix too many or too few, such as /v1.', 'The id is gone.'],
    remedies: [
      'Compare base URL and path with the documentation of the API. sluice list --verbose shows both.',
      'If 404 means that there are no records, say so with emptyOn.',
    ],
    example: 'api.get(path`/orders/${order.id}/lines`, {}, { emptyOn: [404] })',
  },
  HTTP_STATUS: {
    happened: 'The API answered with a status that is no success and that a retry does not mend.',
    causes: ['A parameter is misspelled or has a wrong value (400, 422).', 'The method is wrong (405).'],
    remedies: [
      'Read what the API says: the message quotes it. sluice list --verbose shows what is requested.',
      'If the status has a meaning of its own, say it with responseRules (docs/RESPONSES.md).',
    ],
    example: "{ responseRules: [{ status: 400, body: { code: 'past_end' }, action: 'empty' }] }",
  },
  HTTP_CREDENTIALS: {
    happened: 'The API refused the credentials (401, 403), or a login failed. The message names the variables.',
    causes: [
      'The token is wrong, has expired, or belongs to another installation or account.',
      'The token may not read this path: a scope or a right is missing.',
      'The API wants it elsewhere: in another header, with another scheme, or in the query.',
    ],
    remedies: [
      'Try the token with curl. Replace it, or give it the scope that the API names.',
      'Compare `auth` with the documentation of the API. sluice check shows what a token may do, if the API says so.',
    ],
    example: "http(base, { auth: apiKey(secret('API_KEY'), { header: 'x-api-key' }) })",
  },
  HTTP_UNAVAILABLE: {
    happened: 'Each try of a request failed in a way that may pass: no complete answer in time, 408, 425, 429 or 5xx.',
    causes: ['The API is down or slow.', 'The base URL names a host or a port where nothing listens.'],
    remedies: [
      'Check the base URL, then run again: the run continues after the last commit.',
      'For a slow API raise `timeout`, or request smaller pages. For an API with limits set `rate`.',
    ],
    example: "http(base, { timeout: '2m', attempts: 8, rate: '5/s' })",
  },
  HTTP_CONNECTION: {
    happened: 'The connection to the API failed in a way that a retry does not mend, such as by its certificate.',
    causes: ['The certificate is signed by an authority that Node does not know.', 'A proxy answers in its place.'],
    remedies: ['Name the file of the authority in NODE_EXTRA_CA_CERTS.', 'Check scheme, host and port of the base.'],
    example: 'NODE_EXTRA_CA_CERTS=/etc/ssl/company.pem sluice run shop',
  },
  HTTP_NOT_SENT: {
    happened: 'A request was not sent, because its URL is invalid or leads to an origin that is not allowed.',
    causes: ['A link, a redirect or the URL of a file leads to another host.', 'A value in the path is empty.'],
    remedies: ['If the other host is right, allow it. It gets no credentials.'],
    example: "http(base, { allowedOrigins: ['https://files.example'] })",
  },
  HTTP_REDIRECT: {
    happened: 'The redirects of a response have no end, or lead nowhere.',
    causes: ['The API sends requests without a login to a page, and back.', 'http:// in place of https://.'],
    remedies: ['Check the base URL and the credentials.'],
    example: "http('https://api.example/v1', { auth: bearer(secret('API_TOKEN')) })",
  },
  HTTP_RULE: {
    happened: 'A rule of the definition with the action `fail` fits the response.',
    causes: ['The API reports a failure in a way that the rule describes.'],
    remedies: ['The message has what the rule takes from the response. Correct the cause, or the rule.'],
    example: "{ body: { ok: false }, action: 'fail', message: 'error' }",
  },
  GRAPHQL: {
    happened: 'A GraphQL response lists errors, so the stream failed.',
    causes: ['A field or an argument of the query does not exist.', 'One record could not be resolved.'],
    remedies: ['Correct the query.', 'If the data beside the errors is good, say so with `errors`.'],
    example: "api.graphql(DOCUMENT, {}, { errors: 'reject' })",
  },
  RATE_LIMITED: {
    happened: 'The API asks for a wait of more than five minutes. The stream ended with its position committed.',
    causes: ['The quota of the hour or the day is used up.', 'Another program uses the same token.'],
    remedies: [
      'Run again after the time that the message names. sluice limits shows all waits.',
      'Set `rate` to what the API allows, so that the quota lasts.',
    ],
    example: "http(base, { rate: '5000/h' })\nsluice limits",
  },
  DECODE: {
    happened: 'The body of a response is not what was expected.',
    causes: [
      'HTML in place of JSON: a login page, or an error page of a proxy.',
      'The body has another format, another encoding, or more bytes than maxPageSize.',
      'A value of the cursor is of another kind than the range.',
    ],
    remedies: ['sluice check shows the first answer. Set `format`, `maxPageSize` or the unit of the cursor.'],
    example: "api.get('/export', {}, { format: csv({ delimiter: ';' }) })",
  },
  NO_RECORDS: {
    happened: 'The response has no list of records where `.records(…)` looks for it.',
    causes: [
      'The path is misspelled, or the list stands deeper. The message names the lists that are there.',
      'The API answers a failure with status 200.',
    ],
    remedies: ['Write the path of the list.', 'If the list may be missing, say so.'],
    example: "pages.records('data.items')\npages.records('items', { optional: true })",
  },
  PAGING: {
    happened: 'The pages do not follow each other. Nothing is skipped in silence, so the stream failed.',
    causes: [
      'The parameter of the paginator has another name, so the API returns the same page again.',
      'The API says that more follows, and names no way to it.',
    ],
    remedies: ['Compare parameter and place with the documentation. sluice check recommends a paginator.'],
    example: "pages(byCursor('cursor', 'meta.next_cursor')) // parameter, then place",
  },
  POSITION_LOST: {
    happened: 'The place at which a reading would continue is no longer valid, so it starts again.',
    causes: ['The API forgets cursors after some time.', 'The definition has changed.', 'The list has moved.'],
    remedies: ['Nothing, if the next run reads to the end. `resumeWithin` says how old a position may be.'],
    example: "orders.into('shop.orders', { key: 'id', resumeWithin: '1h' })",
  },
  JOB: {
    happened: 'An export job of the API failed, or did not end in time.',
    causes: ['The API could not make the export.', 'A state of the job stands in no list of the definition.'],
    remedies: ['The next run starts another job. Add the state to `done`, `empty` or `failed`, or raise `longest`.'],
    example: ".job({ id: 'id', state: 'status', done: ['finished', 'partial'], longest: '12h' })",
  },
  INCOMPLETE: {
    happened: 'A reading ended without a proof that it read everything, and its table or its caller requires one.',
    causes: [
      'The first page is full, and the paginator found no way on.',
      'Fewer records came than the API has stated.',
    ],
    remedies: [
      'The message has the reasons, and docs/READ-EVERYTHING.md explains them. sluice check recommends a paginator.',
      "If the reading is good enough, accept it with complete: 'any'.",
    ],
    example: "orders.into('shop.orders', { write: 'replace', complete: 'any' })",
  },
} as const satisfies Partial<Record<ErrorCode, Explanation>>
