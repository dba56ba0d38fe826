// Several APIs in one file, at once: the engine is loaded once, and a wait of one holds up no other.
import { airtable } from './airtable.ts'
import { testsAtOnce } from './at-once.ts'
import { googleSheets } from './google-sheets.ts'
import { jira } from './jira.ts'
import { linear } from './linear.ts'
import { microsoftGraph } from './microsoft-graph.ts'
import { notion } from './notion.ts'

testsAtOnce({
  'Airtable: no more than five requests are sent in a second, and a record that is gone is deleted': airtable,
  'Google Sheets: rows have the names of the first row, and those that are gone are deleted': googleSheets,
  'Jira: issues are read by tokens, and then those of the cursor, from a day before it': jira,
  'Linear: issues are read by Relay pages, and then what has changed, the trash too': linear,
  'Microsoft Graph: the drive is read once, then its changes, and everything again when the token is too old':
    microsoftGraph,
  'Notion: pages are read by the time of their last edit, of which many have the same minute': notion,
})
