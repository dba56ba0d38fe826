import type { PageRequest } from '../model/request.ts'

/** Names a request in messages, without its parameters, which may be private. */
export const labelOf = ({ method, url }: PageRequest): string =>
  `${method} ${url === '' ? 'GraphQL' : url.split(/[?#]/, 1)[0]}`
