// APIs that export by a job, in one file, at once: each waits some seconds for its job.
/* oxlint-disable jest/expect-expect -- The functions assert. */
import { test } from '@jest/globals'
import { amazonReports } from './amazon-reports.ts'
import { salesforceBulk } from './salesforce-bulk.ts'
import { shopifyBulk } from './shopify-bulk.ts'

test.concurrent('Amazon reports: the file of a report replaces the table', amazonReports)
test.concurrent('Salesforce Bulk: the pages of a job are read, and then what has changed', salesforceBulk)
test.concurrent('Shopify bulk: the file of an operation replaces the table', shopifyBulk)
