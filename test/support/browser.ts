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

/** The path of the browser: CHROMIUM_PATH, or the first usual path. Undefined if there is no browser. */
export const browserPath: string | undefined = process.env['CHROMIUM_PATH'] ?? usual.find((path) => existsSync(path))

/** Opens a browser without a window. It requests only the pages of the test. */
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

/** Collects the errors of a page: console errors, exceptions, and violations of the content security policy. */
export async function complaintsOf(page: Page): Promise<string[]> {
  const complaints: string[] = []
  page.on('console', (message) => {
    // A test stops the server on purpose: that is no error of the page.
    if (message.type() === 'error' && !message.text().includes('net::ERR_')) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error.stack ?? error)))
  await page.exposeFunction('complain', (text: string) => complaints.push(text))
  await page.addInitScript(
    `addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      complain('refused by the policy: ' + violatedDirective + ' ' + blockedURI))`,
  )
  return complaints
}

/** Returns the pixels by which a page is wider than its window; 0 is right. */
export const overhang = async (page: Page): Promise<number> =>
  Number(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'))
