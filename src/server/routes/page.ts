import type { FastifyReply } from 'fastify'
import { readFile } from 'node:fs/promises'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { App } from '../context.ts'
import { Problem } from '../response/problem.ts'
import { packageRoot } from '../../observe/package-root.ts'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
}
/** Paths that cannot leave the folder. */
const PATH = /^(?:[\w-]+\/)*[\w-]+(?:\.[\w-]+)*\.(?:html|css|js|svg|png|ico|woff2)$/
const UPLOT_FILES = new Set(['uPlot.esm.js', 'uPlot.min.css'])

/** Routes of the page: its files as they are, and those of uPlot, which draws the plots. */
export function pageRoutes(app: App): void {
  const folder = join(packageRoot(), 'src', 'server', 'page')
  const uplot = dirname(fileURLToPath(import.meta.resolve('uplot/dist/uPlot.min.css')))
  const hidden = { schema: { hide: true } }

  app.get('/', hidden, (_, reply) => sendFile(reply, folder, 'index.html'))
  app.get<{ Params: { '*': string } }>('/page/*', hidden, ({ params: { '*': path } }, reply) =>
    sendFile(reply, folder, path),
  )
  app.get<{ Params: { '*': string } }>('/uplot/*', hidden, ({ params: { '*': path } }, reply) =>
    sendFile(reply, uplot, UPLOT_FILES.has(path) ? path : ''),
  )
}

async function sendFile(reply: FastifyReply, folder: string, path: string): Promise<FastifyReply> {
  const type = PATH.test(path) ? TYPES[extname(path)] : undefined
  const bytes = type && (await readFile(join(folder, path)).catch(() => undefined))
  if (!bytes) throw new Problem(404, `the page has no file ${JSON.stringify(path)}`, 'open /')
  return reply.type(type).send(bytes)
}
