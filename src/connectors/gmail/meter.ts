import type { Metered } from '../connector.ts'

/**
 * What a call costs: https://developers.google.com/workspace/gmail/api/reference/quota, as it is since May 2026. A read
 * costs 20 units of the 6,000 that a user and project have in a minute (projects from before may still pay 5).
 */
const COSTS: readonly (readonly [method: string, path: RegExp, units: number])[] = [
  ['GET', /^\/messages\/[^/]+$/, 20],
  ['GET', /^\/messages$/, 5],
  ['GET', /^\/history$/, 2],
  ['GET', /^\/labels$/, 1],
  ['GET', /^\/profile$/, 1],
  ['GET', /^\/settings\/sendAs$/, 1],
  ['POST', /^\/watch$/, 100],
]
/** What the dearest calls cost: a call that is not listed above is never let through too soon. */
const UNKNOWN = 100

/** The directory has a limit of its own, 2,400 requests a minute: 6000 / 2400 units, rounded up. */
const DIRECTORY_UNITS = 3

const GMAIL = /^\/gmail\/v1\/users\/([^/]+)(\/.*)$/

/** Counted per mailbox; `me` stands for the authorised user before the address is known. */
export function meter(request: { readonly method: string; readonly url: URL }): Metered {
  const { pathname } = request.url
  if (pathname.startsWith('/admin/directory/')) return { key: 'directory', units: DIRECTORY_UNITS }
  const [, user = '', path = ''] = GMAIL.exec(pathname) ?? []
  const cost = COSTS.find(([method, shape]) => method === request.method.toUpperCase() && shape.test(path))
  return { key: decoded(user).toLowerCase(), units: cost?.[2] ?? UNKNOWN }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
