// How a check names a request: by its whole URL, because the base is what it checks first.
import { readAddresses, requestLabel, urlOf, wholeUrl } from '../../http/address.ts'
import type { Api, PageRequest } from '../../model/request.ts'
import { redactUrl } from '../../observe/redact.ts'

/** Returns a request as a check names it, without parameters: `GET https://shop.example/v1/orders`. */
export function shownRequest({ method, url }: PageRequest, { base }: Api): string {
  const [path = ''] = url.split(/[?#]/, 1)
  return `${method} ${redactUrl(wholeUrl(base.replace(/\/+$/, ''), path))}`
}

/** Returns a message that names the request by its whole URL, in place of the path below the base. */
export function withWholeUrl(message: string, request: PageRequest, api: Api): string {
  const addresses = readAddresses(api)
  const label = requestLabel(addresses, request.method, urlOf(addresses, request))
  return message.replace(label, () => shownRequest(request, api))
}
