// A listing that every paginator can read.
import type { ApiRequest } from '../support/api-server.ts'

export interface Listing {
  data: { id: number }[]
  next: number | null
  pages: number
  link?: string
}

/** A listing of six pages with two records each, for every paginator. */
export const listing = (request: ApiRequest, name: string): Listing & { link: string } => {
  const page =
    name === 'offset' ? Number(request.query.get('offset') ?? 0) / 2 + 1 : Number(request.query.get(name) ?? 1)
  return {
    data: page > 6 ? [] : [{ id: page * 2 }, { id: page * 2 + 1 }],
    next: page < 6 ? page + 1 : null,
    pages: 6,
    link: page < 6 ? `/x?${name}=${page + 1}` : '',
  }
}
