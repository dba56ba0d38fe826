// Draws the pictures of docs/images from real runs in a real terminal: npx node test/cli/support/pictures.ts
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { displayWidth } from '../../../src/cli/output/display-width.ts'
import { sleep } from '../../../src/flow/signals/sleep.ts'
import { apiServer } from '../../support/api-server.ts'
import { project, ROOT } from './command.ts'
import type { ScreenCell } from './screen.ts'
import { inTerminal } from './terminal.ts'

const DAY = 86_400_000
const images = join(ROOT, 'docs/images')

const pipeline = `
import { byPage, http, pipeline, since, until } from 'SLUICE'

const api = http(process.env.API, { rate: '150/s' })
export default pipeline('shop', { streams: {
  orders: api.get('/orders', { since, until }).pages(byPage('page')).records()
    .incremental('updated', { unit: 'ms' }).into('shop.orders', { key: 'id' }),
} })
`

/** A year of orders, some on each day; one day's are out of order, and now and then it is too busy. */
const orders = (): ReturnType<typeof apiServer> =>
  apiServer(async ({ index, query }) => {
    await sleep(30 + ((index * 7) % 40))
    if (index % 331 === 330) return { status: 503 }
    const since = Number(query.get('since'))
    if (since === Date.UTC(2024, 4, 9)) return { status: 422, json: { error: 'not in order' } }
    const day = Math.round(since / DAY)
    const page = Number(query.get('page'))
    const number = page > 2 ? 0 : 60 + ((day * 31 + page) % 40)
    return {
      json: Array.from({ length: number }, (_, place) => ({
        id: `${day}-${page}-${place}`,
        updated: since + place * 1_000,
        total: place * 3,
      })),
    }
  })

/** The colours of a terminal that is dark, by their number. */
const palette: Readonly<Record<string, string>> = {
  2: '#7d8590',
  31: '#ff7b72',
  32: '#3fb950',
  33: '#d29922',
  36: '#39c5cf',
}
const size = { letter: 8.4, line: 19, edge: 16 }

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** Some rows of a screen as a picture, letter by letter where each stood. */
function picture(title: string, rows: readonly (readonly ScreenCell[])[], columns: number): string {
  const drawn = rows.map((cells, row) => {
    const parts: { text: string; style: string; at: number }[] = []
    let at = 0
    for (const { letter, style } of cells) {
      const last = parts.at(-1)
      if (last?.style === style) last.text += letter
      else parts.push({ text: letter, style, at })
      at += displayWidth(letter)
    }
    const spans = parts
      .filter(({ text }) => text.trim() !== '')
      .map(
        ({ text, style, at }) =>
          `<tspan x="${(size.edge + at * size.letter).toFixed(1)}" ` +
          `textLength="${(displayWidth(text) * size.letter).toFixed(1)}" lengthAdjust="spacingAndGlyphs" ` +
          `fill="${palette[style] ?? '#e6edf3'}">${escaped(text)}</tspan>`,
      )
    return spans.length === 0 ? '' : `<text y="${size.edge + (row + 0.75) * size.line}">${spans.join('')}</text>`
  })
  const [width, height] = [columns * size.letter + 2 * size.edge, rows.length * size.line + 2 * size.edge]
  const shape = `viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`
  const font = `font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14"`
  return `<svg xmlns="http://www.w3.org/2000/svg" ${shape} role="img" ${font} xml:space="preserve">
<title>${escaped(title)}</title>
<rect width="100%" height="100%" rx="8" fill="#0d1117"/>
${drawn.filter(Boolean).join('\n')}
</svg>
`
}

/** The screen at the moment that `isThen` names, from the first row that `from` fits. */
async function record(
  name: string,
  title: string,
  args: readonly string[],
  {
    cwd,
    env = {},
    from,
    isThen,
  }: {
    cwd: string
    env?: Readonly<Record<string, string>>
    from: RegExp
    isThen: (lines: readonly string[]) => boolean
  },
): Promise<void> {
  await using terminal = await inTerminal(args, { cwd, env })
  await terminal.shows(isThen)
  const { lines, cells } = terminal.screen
  const first = Math.max(
    0,
    lines.findIndex((line) => from.test(line)),
  )
  const shown = cells.slice(first).map((row) => [...row])
  await writeFile(
    join(images, `${name}.svg`),
    picture(
      title,
      [
        `$ sluice ${args.join(' ')}`.split('').map((letter) => ({ letter, style: '2' })),
        ...shown.slice(0, shown.findLastIndex((row) => row.length > 0) + 1),
      ],
      80,
    ),
  )
  console.log(`${name}.svg\n${lines.slice(first).join('\n')}`)
  if ((await Promise.race([terminal.ended, sleep(120_000)])) === undefined) throw new Error('it did not end')
}

await using here = await project({ 'pipelines/shop.ts': pipeline })
const rowsOf = (line: string): number => Number(/([\d,]+) rows/.exec(line)?.[1]?.replaceAll(',', '') ?? 0)
await record('terminal-run', 'sluice demo on a terminal: its streams, as they are read', ['demo'], {
  cwd: here.cwd,
  from: /^customers/,
  isThen: (lines) => lines.some((line) => line.startsWith('events ') && rowsOf(line) > 20_000),
})
await using api = await orders()
await record(
  'terminal-backfill',
  'sluice backfill on a terminal: a year of days, and what has become of them',
  ['backfill', 'shop.orders', '--from', '2024-01-01', '--to', '2025-01-01', '--concurrency', '8'],
  {
    cwd: here.cwd,
    env: { API: api.origin },
    from: /^(failed|orders)/,
    isThen: (lines) =>
      lines.some((line) => /█ 2[0-9]{2} done/.test(line)) && lines.some((line) => line.startsWith('failed window')),
  },
)
