/** A browser of a person without scripts: it keeps cookies and follows redirects. */
export interface WebBrowser {
  /** Opens an address, and returns the page at the end of its redirects. */
  readonly open: (url: string, form?: Readonly<Record<string, string>>) => Promise<WebPage>
}

export interface WebPage {
  readonly url: string
  readonly status: number
  readonly text: string
  /** The values of the hidden fields. */
  readonly fields: Readonly<Record<string, string>>
}

export function webBrowser(): WebBrowser {
  const cookies = new Map<string, string>()
  const open = async (url: string, form?: Readonly<Record<string, string>>): Promise<WebPage> => {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form && { method: 'POST', body: new URLSearchParams(form) }),
    })
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      if (value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    const location = response.headers.get('location')
    const text = await response.text()
    if (location !== null) return open(new URL(location, url).href)
    const inputs = [...text.matchAll(/<input[^>]*name="([^"]*)"[^>]*value="([^"]*)"/g)]
    return {
      url,
      status: response.status,
      text,
      fields: Object.fromEntries(inputs.map(([, name = '', value = '']) => [name, value])),
    }
  }
  return { open }
}
