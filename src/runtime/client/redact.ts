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
export type Scrubber = {
  /** One that is in use for some time: a token. The last of these are remembered. */
  add(secret: string): void
  scrub(text: string): string
}

/** Tokens come by the hour for as long as a process lives; those from before are no longer good for anything. */
const TOKENS_MAX = 16

export function openScrubber(secrets: Iterable<string>): Scrubber {
  const always = new Set([...secrets].flatMap(formsOf))
  const passing: string[] = []
  return {
    add(secret) {
      if (passing.includes(secret)) return
      passing.push(secret)
      if (passing.length > TOKENS_MAX) passing.shift()
    },
    scrub(text) {
      const known = [...always, ...passing.flatMap(formsOf)]
      const longestFirst = known.sort((a, b) => b.length - a.length)
      const clean = longestFirst.reduce((rest, secret) => rest.replaceAll(secret, HIDDEN), text)
      return clean.replace(SCHEME, `$1 ${HIDDEN}`)
    },
  }
}

function formsOf(secret: string): readonly string[] {
  const trimmed = secret.trim()
  if (trimmed.length < SHORTEST_SECRET) return []
  return [trimmed, encodeURIComponent(trimmed), Buffer.from(trimmed).toString('base64')]
}
