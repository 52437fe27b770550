import type { MiddlewareHandler } from 'hono'
import { Problem } from './problem.ts'
import type { MailchimpState } from './state.ts'

/**
 * Basic with any user name and the API key, or Bearer with an OAuth token; in this sandbox both are the key.
 * https://mailchimp.com/developer/marketing/docs/fundamentals/#authentication
 */
export function requireKey(state: MailchimpState): MiddlewareHandler {
  return async (c, next) => {
    const header = c.req.header('authorization')
    if (header === undefined) {
      throw new Problem(401, 'API Key Missing', 'Your request did not include an API key.')
    }
    if (keyIn(header) !== state.apiKey) {
      const detail = "Your API key may be invalid, or you've attempted to access the wrong datacenter."
      throw new Problem(401, 'API Key Invalid', detail)
    }
    return next()
  }
}

function keyIn(header: string): string | undefined {
  const [scheme, credentials = ''] = header.split(' ', 2)
  switch (scheme?.toLowerCase()) {
    case 'bearer':
    case 'oauth':
    case 'apikey':
      return credentials
    case 'basic': {
      const plain = Buffer.from(credentials, 'base64').toString()
      return plain.slice(plain.indexOf(':') + 1)
    }
    default:
      return undefined
  }
}
