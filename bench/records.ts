// The records of all measurements: 16 fields as in an issue tracker, about 500 bytes of JSON each. They are the same at
// every start.

const words = (
  'error crash fix when loading page with null value in module parser after upgrade to the latest version windows ' +
  'linux support add option for timeout memory leak regression test failing docs typo improve performance'
).split(' ')
const foreign = ['naïve', 'café', 'Zürich', '日本語', 'ошибка', '🚀', '“quoted”', 'São', '测试', '👍🏽']
const labels = [
  'bug',
  'enhancement',
  'good first issue',
  'help wanted',
  'question',
  'wontfix',
  'docs',
  'needs "triage"',
]

export interface Issue {
  id: number
  node_id: string
  number: number
  title: string
  state: string
  locked: boolean
  user: { login: string; id: number; type: string; site_admin: boolean }
  labels: string[]
  assignee: string | null
  comments: number
  score: number
  created_at: string
  updated_at: string
  closed_at: string | null
  draft: boolean | null
  body: string | null
}

/** Returns a generator of numbers from 0 to 1. Equal seeds give equal numbers. */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

const moment = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`

/** Returns code for a quarter of the bodies, and a Windows path for a few of the others. */
function bodyTail(random: () => number): string {
  if (random() < 0.25) return '\r\n```js\nconst x = "a\\tb";\n```'
  return random() < 0.05 ? '\tpath C:\\temp\\new' : ''
}

/** Returns record number `n`, from 0. */
export function issue(n: number): Issue {
  const random = randomNumbers(n * 7_919 + 1)
  const between = (low: number, high: number): number => low + Math.floor(random() * (high - low + 1))
  const one = <T>(list: readonly T[]): T => list[between(0, list.length - 1)]!
  const text = (count: number): string =>
    Array.from({ length: count }, () => (random() < 0.04 ? one(foreign) : one(words))).join(' ')
  const created = 1_420_070_400_000 + Math.floor(random() * 3e11)
  const closed = random() < 0.6
  const tail = bodyTail(random)
  return {
    id: 1_000_000_000 + n * 3,
    node_id: `I_kwDO${(1e9 + n * 7).toString(36)}${between(1e6, 9e6).toString(36)}`,
    number: n + 1,
    title: text(between(3, 10)),
    state: closed ? 'closed' : 'open',
    locked: random() < 0.05,
    user: {
      login: one(words) + between(1, 9_999),
      id: between(1, 90_000_000),
      type: random() < 0.1 ? 'Bot' : 'User',
      site_admin: false,
    },
    labels: Array.from({ length: between(0, 3) }, () => one(labels)),
    assignee: random() < 0.7 ? null : one(words) + between(1, 999),
    comments: between(0, 80),
    score: Math.round(random() * 1e6) / 1e4,
    created_at: moment(created),
    updated_at: moment(created + between(0, 1e9)),
    closed_at: closed ? moment(created + between(0, 9e8)) : null,
    draft: random() < 0.5 ? null : false,
    body: random() < 0.05 ? null : text(between(8, 26)) + tail,
  }
}
