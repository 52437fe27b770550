import type { Failure } from '../../connectors/connector.ts'
import { isRead } from './outgoing.ts'
import type { FailedBy } from './retry.ts'

/** No connection came about, so nothing was sent. */
const NEVER_CONNECTED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT'])

/** What a transport's rejection means for a request: `committed` is `unknown` where the vendor may have acted. */
export function networkFailure(
  error: unknown,
  method: string,
  where: string,
): { readonly failure: Failure; readonly by: FailedBy } {
  const reasons = reasonsOf(error)
  const unsent = reasons.some(({ code }) => code !== null && NEVER_CONNECTED.has(code))
  const deepest = reasons.at(-1)
  const what = [deepest?.code ?? deepest?.name, deepest?.message].filter((part) => part).join(': ')
  return {
    by: unsent ? 'unsent' : 'lost',
    failure: {
      kind: 'unavailable',
      committed: unsent || isRead(method) ? 'no' : 'unknown',
      message: `${method} ${where}: ${what === '' ? 'no connection' : what}`,
    },
  }
}

type Reason = { readonly name: string; readonly code: string | null; readonly message: string }

/** `fetch failed` says nothing; its causes do. Several addresses tried at once give an AggregateError with a code. */
function reasonsOf(error: unknown): readonly Reason[] {
  const reasons: Reason[] = []
  for (let at = error; at instanceof Error && reasons.length < 5; at = at.cause) {
    const code = 'code' in at && typeof at.code === 'string' ? at.code : null
    reasons.push({ name: at.name, code, message: at.message })
  }
  return reasons
}
