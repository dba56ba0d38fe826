// What the demo API knows: records that are computed from their number, so that nothing is stored and every start
// serves the same. They are written as JSON text at once: 100,000 records cost some 100 ms and no memory.

/**
 * Records in the order of their time, of which some share one instant, as they do in life and where careless readers
 * lose rows.
 */
export interface Timeline {
  readonly count: number
  /**
   * The number of the first record at or after an instant (ISO 8601); `count` where there is none, NaN for what is no
   * instant.
   */
  readonly indexAt: (instant: string) => number
}

const START = Date.UTC(2025, 0, 1)
const instant = (ms: number): string => `${new Date(ms).toISOString().slice(0, -5)}Z`
const pick = (texts: readonly string[], index: number): string => texts[index % texts.length] ?? ''
const quoted = (...texts: string[]): readonly string[] => texts.map((text) => JSON.stringify(text))

/** `together` records at each instant, `every` ms apart. */
function timeline(
  count: number,
  together: number,
  every: number,
): Timeline & { readonly at: (index: number) => number } {
  return {
    count,
    at: (index) => START + Math.floor(index / together) * every,
    indexAt: (text) => Math.min(count, Math.max(0, Math.ceil((Date.parse(text) - START) / every) * together)),
  }
}

const FIRST_CUSTOMER = 1_000
const GIVEN = ['Ada', 'Zoë', 'Đặng', 'Олена', '美咲', 'Σοφία', 'مريم', 'Nnamdi', 'Søren', 'Íñigo', 'प्रिया']
const FAMILY = [
  "O'Neill",
  'Müller',
  'Nguyễn',
  'Шевченко',
  '佐藤',
  'Παππά',
  'حداد',
  'Okafor',
  'Kjær',
  'Etxebarria',
  'शर्मा',
  'Smith "Smitty"',
  'Back\\slash',
]
const PLACES = quoted(
  'Dublin|IE',
  'Köln|DE',
  'Đà Nẵng|VN',
  'Київ|UA',
  '札幌市|JP',
  'Αθήνα|GR',
  'بيروت|LB',
  'Enugu|NG',
  'Ærø|DK',
  'Donostia|ES',
  'पुणे|IN',
).map((place) => `{"city":${place.replace('|', '","country":"')}}`)
const PLANS = quoted('free', 'team', 'team', 'business')

export interface Customers extends Timeline {
  /** The customer's number in the order of change, or undefined where there is none of this id. */
  readonly find: (id: number) => number | undefined
  readonly json: (index: number) => string
}

// `^ 5` exchanges numbers within each group of eight. Done twice, it changes nothing.
const idOf = (index: number): number => FIRST_CUSTOMER + (index ^ 5)
const indexOf = (id: number): number => (id - FIRST_CUSTOMER) ^ 5

/** Customers in the order of their last change, which is not the order of their ids. */
export function customers(count: number): Customers {
  const { at, indexAt } = timeline(count, 7, 29 * 3_600_000)
  const json = (index: number): string => {
    const id = idOf(index)
    const name = JSON.stringify(`${pick(GIVEN, id * 7)} ${pick(FAMILY, id * 3)}`)
    const email = id % 9 === 0 ? 'null' : `"customer.${id}@example.com"`
    // The account number lies beyond 2^53, where doubles have gaps.
    return (
      `{"id":${id},"account_number":90071992547${40_993 + index},"name":${name},"email":${email},` +
      `"plan":${pick(PLANS, id)},"address":${pick(PLACES, id * 5)},` +
      `"created_at":"${instant(START - (1 + (id % 700)) * 86_400_000)}","updated_at":"${instant(at(index))}"}`
    )
  }
  const find = (id: number): number | undefined => {
    const index = indexOf(id)
    return Number.isSafeInteger(id) && id >= FIRST_CUSTOMER && index < count ? index : undefined
  }
  return { count, indexAt, find, json }
}

const STATUSES = quoted('paid', 'paid', 'paid', 'open', 'void')

/**
 * Most customers have a few invoices; every four-hundredth has hundreds, so that a kill inside one parent's pages can
 * be seen.
 */
export const invoiceCount = (customer: number): number => (customer % 400 === 0 ? 640 : 1 + ((customer * 31) % 17))

export function invoice(customer: number, index: number): string {
  const number = customer * 1_000 + index
  const cents = (number * 7_919) % 1_000_000
  const status = pick(STATUSES, number)
  const issued = START + ((number * 13) % 350) * 86_400_000
  const paidAt = status === '"paid"' ? `"${instant(issued + (number % 864_000_000))}"` : 'null'
  return (
    `{"id":"inv_${number}","amount":${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')},` +
    `"currency":"EUR","status":${status},"issued_on":"${instant(issued).slice(0, 10)}","paid_at":${paidAt}}`
  )
}

const TYPES = quoted('page_view', 'login', 'page_view', 'heartbeat', 'invoice_viewed', 'page_view', 'export')
const PAGES = quoted('/', '/invoices', '/settings/team', '/hilfe/überblick', '/検索?q=請求書')

export interface Events extends Timeline {
  readonly json: (index: number) => string
}

/** Returns actions of customers, oldest first. A record does not depend on `count`. */
export function events(count: number): Events {
  const { at, indexAt } = timeline(count, 3, 19 * 60_000)
  const json = (index: number): string =>
    `{"id":"evt_${String(index).padStart(8, '0')}","type":${pick(TYPES, index)},` +
    `"customer_id":${FIRST_CUSTOMER + ((index * 37) % 2_000)},"at":"${instant(at(index))}",` +
    `"context":{"page":${pick(PAGES, index)},"ms":${(index * 97) % 2_000}}}`
  return { count, indexAt, json }
}
