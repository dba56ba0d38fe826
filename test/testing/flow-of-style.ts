// The stream that reads a list of a fake API in one of its styles.
import { http, since, type HttpOptions } from '../../src/index.ts'
import { fakeStyles, type FakeStyle, type GeneratedRecord } from '../../src/testing/index.ts'
import type { Stream } from '../../src/define/stream.ts'

export const styles = Object.keys(fakeStyles) as FakeStyle[]

/** Reads the list in pages of ten. */
export function streamOfStyle(style: FakeStyle, url: string, options: HttpOptions = {}): Stream<GeneratedRecord> {
  const paging = fakeStyles[style]
  if (style === 'relay')
    return http(url, options)
      .graphql<{ items: { nodes: GeneratedRecord[] } }>('query ($first: Int, $after: String) { items }', { first: 10 })
      .pages(paging)
      .records('items.nodes')
  const query = style === 'one page' ? {} : { limit: 10, ...(style === 'since' && { since }) }
  return http(url, options).get<{ items: GeneratedRecord[] }>('/items', query).pages(paging).records('items')
}
