// APIs that export by a job, in one file, at once: each waits some seconds for its job.
import { amazonReports } from './amazon-reports.ts'
import { testsAtOnce } from './at-once.ts'
import { salesforceBulk } from './salesforce-bulk.ts'
import { shopifyBulk } from './shopify-bulk.ts'

testsAtOnce({
  'Amazon reports: the file of a report replaces the table': amazonReports,
  'Salesforce Bulk: the pages of a job are read, and then what has changed': salesforceBulk,
  'Shopify bulk: the file of an operation replaces the table': shopifyBulk,
})
