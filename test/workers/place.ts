import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { ApiSettings, Seen } from './api-process.ts'
import { Command } from './command.ts'
import type { Hosts } from './hosts.ts'
import { accountNames, DAY, START, type Sizes } from './source.ts'

export const pipelineFile = (name: string): string => join(import.meta.dirname, 'pipelines', `${name}.ts`)

export const must = (isSo: boolean, what: string): void => {
  if (!isSo) throw new Error(`Not so: ${what}`)
}

/** The words of a backfill of all windows. */
export const backfillWords = ({ windows }: Pick<Sizes, 'windows'>): string[] => [
  'backfill',
  pipelineFile('entries'),
  '--from',
  new Date(START).toISOString().slice(0, 10),
  '--to',
  new Date(START + windows * DAY).toISOString().slice(0, 10),
  '--window',
  '1d',
]

/** An API in a process of its own, which ends with it. */
export async function openApi(
  settings: ApiSettings,
): Promise<AsyncDisposable & { readonly url: string; readonly seen: () => Promise<Seen> }> {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'api-process.ts'), JSON.stringify(settings)],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  const [port] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string]
  const url = `http://${settings.host}:${port.trim()}`
  return {
    url,
    seen: async () => (await (await fetch(`${url}/seen`)).json()) as Seen,
    [Symbol.asyncDispose]: async () => {
      const left = once(child, 'exit')
      child.stdin.end()
      await left
    },
  }
}

export interface PlaceOptions {
  readonly hosts: Hosts
  /** Leads to the database from this machine. */
  readonly database: string
  readonly api: string
  readonly sizes: Sizes
  /** The rate of the pipelines, as JSON. @default none */
  readonly rate?: string
}

/** Starts commands of Sluice against one database and one API. None of them outlives it. */
export class Place implements AsyncDisposable {
  readonly #options: PlaceOptions
  readonly #environment: Readonly<Record<string, string>>
  readonly commands: Command[] = []

  constructor(options: PlaceOptions) {
    this.#options = options
    const { hosts, database, api, sizes, rate } = options
    const url = new URL(database)
    url.hostname = hosts.gateway
    this.#environment = {
      DATABASE_URL: url.href,
      WORKERS_API: api,
      ITEMS: accountNames(sizes).join(','),
      ...(rate !== undefined && { WORKERS_RATE: rate }),
    }
  }

  start(name: string, args: readonly string[], host?: number): Command {
    const command = new Command(name, this.#options.hosts, {
      args,
      environment: this.#environment,
      ...(host !== undefined && { host }),
    })
    this.commands.push(command)
    return command
  }

  /** Starts a worker on a host, counted from 0. */
  worker(host: number, concurrency: number): Command {
    const pipelines = this.#options.sizes.accounts === 0 ? ['entries'] : ['entries', 'items']
    const words = ['worker', ...pipelines.map(pipelineFile), '--concurrency', String(concurrency), '--json']
    return this.start(`worker ${host + 1}`, words, host)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const command of this.commands) command.signal('SIGKILL')
    await Promise.all(this.commands.map(({ ended }) => ended))
  }
}
