import { Hono } from 'hono'
import { html } from 'hono/html'
import { type GmailState, mailboxOf } from './state.ts'

const CODE_LIFE_MS = 10 * 60_000

/** The page where a person allows an application to read a mailbox, and where its button leads. */
export function consentRoutes(state: GmailState): Hono {
  const routes = new Hono()
  routes.get('/o/oauth2/v2/auth', (c) => {
    const query = new URL(c.req.url).searchParams
    const problem = problemOf(state, query)
    if (problem !== null) return c.html(html`<h1>Error 400: ${problem}</h1>`, 400)
    const people = [...state.mailboxes.values()].filter(({ hasMail, suspended }) => hasMail && !suspended)
    const hint = query.get('login_hint')?.toLowerCase()
    return c.html(html`<!doctype html>
      <title>Sign in with Google (sandbox)</title>
      <h1>An application wants to read your mail</h1>
      <ul>
        ${(query.get('scope') ?? '').split(' ').map((scope) => html`<li>${scope}</li>`)}
      </ul>
      <form method="post" action="/o/oauth2/v2/auth?${query.toString()}">
        <select name="mailbox">
          ${people.map(({ address }) => html`<option ${address === hint ? 'selected' : ''}>${address}</option>`)}
        </select>
        <button name="answer" value="allow">Allow</button>
        <button name="answer" value="deny">Cancel</button>
      </form>`)
  })
  routes.post('/o/oauth2/v2/auth', async (c) => {
    const query = new URL(c.req.url).searchParams
    const problem = problemOf(state, query)
    if (problem !== null) return c.html(html`<h1>Error 400: ${problem}</h1>`, 400)
    const form = new URLSearchParams(await c.req.text())
    const answer = form.get('answer') === 'allow' ? (form.get('mailbox') ?? '') : null
    return c.redirect(answered(state, query, answer))
  })
  return routes
}

/** Where the browser goes once a person has allowed it for this mailbox, or not (null). */
export function answered(state: GmailState, query: URLSearchParams, address: string | null): string {
  const redirect = new URL(query.get('redirect_uri') ?? '')
  const given = query.get('state')
  if (given !== null) redirect.searchParams.set('state', given)
  const mailbox = address === null ? undefined : mailboxOf(state, address)
  if (mailbox === undefined) {
    redirect.searchParams.set('error', 'access_denied')
    return redirect.href
  }
  const scopes = new Set((query.get('scope') ?? '').split(' ').filter((scope) => scope !== ''))
  const code = `4/0A${state.ids.hex(40)}`
  state.grants.set(code, {
    mailbox: mailbox.address,
    scopes,
    redirectUri: query.get('redirect_uri') ?? '',
    challenge: query.get('code_challenge'),
    offline: query.get('access_type') === 'offline' && isFirst(state, mailbox.address, query),
    expiresAt: state.now() + CODE_LIFE_MS,
  })
  redirect.searchParams.set('code', code)
  redirect.searchParams.set('scope', [...scopes].join(' '))
  return redirect.href
}

/** Who has consented before gets a new refresh token only when asked again. */
function isFirst(state: GmailState, address: string, query: URLSearchParams): boolean {
  if ((query.get('prompt') ?? '').split(' ').includes('consent')) return true
  return [...state.refreshTokens.values()].every(({ mailbox }) => mailbox !== address)
}

function problemOf(state: GmailState, query: URLSearchParams): string | null {
  if (query.get('client_id') !== state.client.id) return 'invalid_client'
  const redirect = query.get('redirect_uri') ?? ''
  const { redirectUris } = state.client
  if (!URL.canParse(redirect) || (redirectUris.length > 0 && !redirectUris.includes(redirect)))
    return 'redirect_uri_mismatch'
  if (query.get('response_type') !== 'code') return 'unsupported_response_type'
  if ((query.get('scope') ?? '') === '') return 'invalid_request: Missing required parameter: scope'
  const method = query.get('code_challenge_method')
  if (query.has('code_challenge') && method !== 'S256') return 'invalid_request: code_challenge_method'
  return null
}
