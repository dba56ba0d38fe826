// Several APIs in one file, at once: the engine is loaded once, and a wait of one holds up no other.
import { testsAtOnce } from './at-once.ts'
import { facebook } from './facebook.ts'
import { googleAnalytics } from './google-analytics.ts'
import { hubspot } from './hubspot.ts'
import { klaviyo } from './klaviyo.ts'
import { salesforce } from './salesforce.ts'
import { twilio } from './twilio.ts'

testsAtOnce({
  'Facebook: insights are read two months at a time, and those of the last 28 days again': facebook,
  'Google Analytics: the rows of the report are counted, and the last days are read again': googleAnalytics,
  'HubSpot: contacts are read beyond the limit of a search, and then those that were modified': hubspot,
  'Klaviyo: profiles become flat rows, and then those that were updated': klaviyo,
  'Salesforce: accounts are read with their deleted ones, and a session that ends is renewed': salesforce,
  'Twilio: messages are read once, and those of the last three days again, because their status changes': twilio,
})
