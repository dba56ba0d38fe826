import { readFile } from 'node:fs/promises'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { Problem } from '../response/problem.ts'
import { packageRoot } from '../../observe/package-root.ts'

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
}
/** Names that lead nowhere else. */
const name = /^(?:[\w-]+\/)*[\w-]+(?:\.[\w-]+)*\.(?:html|css|js|svg|png|ico|woff2)$/
const drawings = new Set(['uPlot.esm.js', 'uPlot.min.css'])

/** The page: files as they are, and what draws its plots. */
export function pageRoutes(app: FastifyInstance): void {
  const folder = join(packageRoot(), 'src', 'server', 'page')
  const uplot = dirname(fileURLToPath(import.meta.resolve('uplot/dist/uPlot.min.css')))
  const hidden = { schema: { hide: true } }

  app.get('/', hidden, (_, reply) => sendFile(reply, folder, 'index.html'))
  app.get<{ Params: { '*': string } }>('/page/*', hidden, ({ params: { '*': asked } }, reply) =>
    sendFile(reply, folder, asked),
  )
  app.get<{ Params: { '*': string } }>('/uplot/*', hidden, ({ params: { '*': asked } }, reply) =>
    sendFile(reply, uplot, drawings.has(asked) ? asked : ''),
  )
}

async function sendFile(reply: FastifyReply, folder: string, asked: string): Promise<FastifyReply> {
  const missing = new Problem(404, `there is no file ${JSON.stringify(asked)} of the page`, 'open /')
  if (!name.test(asked)) throw missing
  const bytes = await readFile(join(folder, asked)).catch(() => undefined)
  if (!bytes) throw missing
  return reply.type(types[extname(asked)]!).send(bytes)
}
