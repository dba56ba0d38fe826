// Several APIs in one file, at once: the engine is loaded once, and a wait of one holds up no other.
import { amazon } from './amazon.ts'
import { testsAtOnce } from './at-once.ts'
import { quickbooks } from './quickbooks.ts'
import { shopify } from './shopify.ts'
import { square } from './square.ts'
import { stripe } from './stripe.ts'
import { xero } from './xero.ts'

testsAtOnce({
  'Amazon: orders are read by tokens, and then those that were updated': amazon,
  'QuickBooks: invoices are read in the order of their last change, and deleted ones are told': quickbooks,
  'Shopify: orders are read by Relay pages, a throttled request again, and then what has changed': shopify,
  'Square: the orders of each location are read, and then those that were updated': square,
  'Stripe: customers are replaced, transactions and events read on from the last one': stripe,
  'Xero: invoices are read by pages, and then those that were modified since': xero,
})
