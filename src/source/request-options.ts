import type { Request } from '../model/request.ts'
import { rulesOfRequest } from '../model/response-rule.ts'
import type { SendOptions } from '../model/scope.ts'
import { defined } from '../value/defined.ts'
import { endpointOf } from './first-request.ts'

/** Returns what a client must know of a request besides its parameters. */
export const requestOptions = (request: Request): Pick<SendOptions, 'headers' | 'rules' | 'endpoint'> => ({
  endpoint: endpointOf(request),
  rules: rulesOfRequest(request),
  ...defined({ headers: request.headers }),
})
