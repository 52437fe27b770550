/** Rather too many than too few: a hidden page token costs nothing. */
const SECRET_NAME = /secret|token|key|sig|credential|passw|auth|assertion|session|^code$|^state$/i
const HIDDEN = '***'
const SCHEME = /\b(Basic|Bearer)\s+[\w+/=.~-]{4,}/gi
/** Shorter values (a data centre, a flag) are no secrets and would make every message unreadable. */
const SHORTEST_SECRET = 4

/** The URL for logs and messages: no user info, no fragment, no values of query parameters that look secret. */
export function safeUrl(url: URL): string {
  const safe = new URL(url.origin + url.pathname)
  for (const [name, value] of url.searchParams) {
    safe.searchParams.append(name, SECRET_NAME.test(name) ? HIDDEN : value)
  }
  return safe.href
}

/** Hides known secrets wherever a vendor or a library repeats them. */
export type Scrubber = { add(secret: string): void; scrub(text: string): string }

export function openScrubber(secrets: Iterable<string>): Scrubber {
  const known = new Set<string>()
  const scrubber: Scrubber = {
    add(secret) {
      const trimmed = secret.trim()
      if (trimmed.length < SHORTEST_SECRET) return
      known.add(trimmed).add(encodeURIComponent(trimmed)).add(Buffer.from(trimmed).toString('base64'))
    },
    scrub(text) {
      const longestFirst = [...known].sort((a, b) => b.length - a.length)
      const clean = longestFirst.reduce((rest, secret) => rest.replaceAll(secret, HIDDEN), text)
      return clean.replace(SCHEME, `$1 ${HIDDEN}`)
    },
  }
  for (const secret of secrets) scrubber.add(secret)
  return scrubber
}
