import { existsSync } from 'node:fs'
import { chromium, type Browser, type Page } from 'playwright-core'

const usual = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]

/** The system's own browser: CHROMIUM_PATH, or where it usually is; undefined where there is none. */
export const browserPath: string | undefined = process.env['CHROMIUM_PATH'] ?? usual.find((path) => existsSync(path))

/** A browser without a window, which asks nobody but the pages that it is given. */
export async function openBrowser(): Promise<Browser> {
  if (browserPath === undefined)
    throw new Error(`there is no Chromium in ${usual.join(', ')}: install one, or set CHROMIUM_PATH`)
  return chromium.launch({
    executablePath: browserPath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

/** What a page complains of: errors on its console, exceptions, and whatever the content security policy refused. */
export async function complaintsOf(page: Page): Promise<string[]> {
  const complaints: string[] = []
  page.on('console', (message) => {
    // A server that is away on purpose is no fault of the page.
    if (message.type() === 'error' && !message.text().includes('net::ERR_')) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error.stack ?? error)))
  await page.exposeFunction('complain', (text: string) => complaints.push(text))
  await page.addInitScript(
    `addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => complain('refused by the policy: ' + violatedDirective + ' ' + blockedURI))`,
  )
  return complaints
}

/** How far a page reaches beyond its window to the right, in pixels; 0 is as it should be. */
export const overhang = async (page: Page): Promise<number> =>
  Number(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'))
