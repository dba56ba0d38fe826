// Runs docs/TUTORIAL.md against its own API.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from '@jest/globals'
import { testDatabase } from '../support/database.ts'
import { root, runPage } from './run-page.ts'

/** Starts the tutorial's API on a free port and returns its address. */
async function startShop(): Promise<{ origin: string } & AsyncDisposable> {
  const shop = spawn(process.execPath, [join(root, 'docs/tutorial/shop-api.js'), '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface({ input: shop.stdout }), 'line')) as [string]
  return {
    origin: line.replace('The shop listens on ', ''),
    [Symbol.asyncDispose]: async () => {
      shop.kill()
      await once(shop, 'exit')
    },
  }
}

test('every step of the tutorial prints what the page shows', async () => {
  await using shop = await startShop()
  await using store = await testDatabase()
  const { missing, steps } = await runPage('docs/TUTORIAL.md', {
    env: { SHOP_API: shop.origin, DATABASE_URL: store.url },
    // A folder that has the package: it is not packed once more.
    files: { 'my-shop/package.json': '{ "dependencies": { "sluice": "file:../sluice.tgz" } }' },
    replaced: { 'http://127.0.0.1:8710': shop.origin },
    other: async ([program, ...words]) => {
      if (program !== 'curl') return ''
      return (await fetch(words.at(-1) ?? '', { method: 'PATCH' })).text()
    },
    isOutput: (text) => !text.includes('8710'),
  })
  expect(missing).toStrictEqual([])
  expect(steps).toBeGreaterThanOrEqual(8)
}, 240_000)
