// Microsoft Graph: the files and folders of a drive (OneDrive or SharePoint).
//
// Docs:      learn.microsoft.com/graph (delta query overview, driveItem: delta, client credentials, throttling);
//            looked up 2026-11-27
// Secrets:   GRAPH_CLIENT_SECRET of an app with Files.Read.All; GRAPH_TENANT, GRAPH_CLIENT_ID and GRAPH_DRIVE
// Limits:    by service and tenant; 429 with Retry-After
// Paging:    `@odata.nextLink`; a page may be empty, and an item may come more than once: the last one counts
// Increment: the last page has `@odata.deltaLink`, a URL for the changes since. 410 if it is too old
// Deletions: an item with the facet `deleted`, which may have no more than its id
//
// Users and groups have a delta, too, but a changed one may come with no more than what has changed: a row would lose
// the rest. Read them whole, or each changed one again by its id. Their expired token is status 400: give
// `expiredOn: [400, 410]`.
import { baseUrl, byNextUrl, clientCredentials, http, path, pipeline, secret } from 'sluice'

interface Item {
  id: string
  name?: string
  size?: number
  webUrl?: string
  parentReference?: { id?: string; path?: string }
  createdDateTime?: string
  lastModifiedDateTime?: string
  file?: { mimeType: string }
  folder?: { childCount: number }
  deleted?: { state: string }
}
interface Delta {
  value: Item[]
  '@odata.nextLink'?: string
  '@odata.deltaLink'?: string
}

const { GRAPH_TENANT = 'common', GRAPH_CLIENT_ID = '', GRAPH_DRIVE = 'drive' } = process.env

const api = http(baseUrl('GRAPH_API', 'https://graph.microsoft.com/v1.0'), {
  auth: clientCredentials({
    tokenUrl: `${baseUrl('GRAPH_LOGIN', 'https://login.microsoftonline.com')}/${GRAPH_TENANT}/oauth2/v2.0/token`,
    clientId: GRAPH_CLIENT_ID,
    clientSecret: secret('GRAPH_CLIENT_SECRET'),
    scope: 'https://graph.microsoft.com/.default',
  }),
})

const items = api
  .get<Delta>(path`/drives/${GRAPH_DRIVE}/root/delta`)
  .pages(
    byNextUrl((body) => body['@odata.nextLink']),
    { delta: { at: (body) => body['@odata.deltaLink'] } },
  )
  .records('value')
  .flag('is_folder', { field: 'folder', exists: true })
  .flag('is_deleted', { field: 'deleted', exists: true })
  .map(({ id, name, size, webUrl, parentReference, file, is_folder, is_deleted, ...times }) => ({
    id,
    name,
    size,
    web_url: webUrl,
    parent_id: parentReference?.id,
    path: parentReference?.path,
    mime_type: file?.mimeType,
    is_folder,
    is_deleted,
    created_at: times.createdDateTime,
    modified_at: times.lastModifiedDateTime,
  }))

export default pipeline('microsoft-graph', {
  streams: { items: items.into('microsoft_graph.drive_items', { key: 'id' }) },
})
