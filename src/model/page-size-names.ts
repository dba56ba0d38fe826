/**
 * Usual names of the parameter that holds the page size. Names such as `size` and `count` are left out: some APIs
 * filter by them.
 */
export const PAGE_SIZE_NAMES: readonly string[] = [
  'limit',
  'per_page',
  'perPage',
  'page_size',
  'pageSize',
  'max_results',
  'maxResults',
  '$limit',
  '$top',
]
