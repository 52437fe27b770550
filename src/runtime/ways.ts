import type { AuthSpec, OAuth2, OAuthGrant } from '../connectors/connector.ts'
import { chosenAuth, type Secrets } from './client/auth.ts'

/** One of the ways to authorise a connection, with the credentials that a person gives for it. */
export type Way =
  | { readonly kind: 'fields'; readonly fields: readonly Field[] }
  | { readonly kind: OAuthGrant; readonly auth: OAuth2; readonly fields: readonly Field[] }

export type Field = { readonly name: string; readonly isRequired: boolean }

const required = (name: string): Field => ({ name, isRequired: true })
/** A public client has no secret: https://www.rfc-editor.org/rfc/rfc8252#section-8.4 */
const FIELDS: Readonly<Record<OAuthGrant, readonly Field[]>> = {
  code: [required('clientId'), { name: 'clientSecret', isRequired: false }],
  client: [required('clientId'), required('clientSecret')],
  jwt: [required('serviceAccountKey')],
}
/** What a token endpoint gives, and a person may bring from elsewhere. */
const TOKENS = ['refreshToken', 'accessToken', 'expiresAt']

/** In the order in which they are offered. */
export function waysOf(spec: AuthSpec): readonly Way[] {
  switch (spec.kind) {
    case 'none':
      return []
    case 'apiKey':
      return [{ kind: 'fields', fields: spec.fields.map(required) }]
    case 'oauth2':
      return spec.grants.map((grant) => ({ kind: grant, auth: spec, fields: FIELDS[grant] }))
    case 'either':
      return spec.of.flatMap(waysOf)
  }
}

/** Every credential that a person may give for a way. */
export function fieldsOf(way: Way): readonly string[] {
  const names = way.fields.map(({ name }) => name)
  return way.kind === 'code' ? [...names, ...TOKENS] : names
}

/** The way that credentials are complete for; null where they are for none. */
export function wayOf(spec: AuthSpec, secrets: Secrets): Way | null {
  const chosen = chosenAuth(spec, secrets)
  const has = (name: string) => (secrets[name] ?? '') !== ''
  const isComplete = (way: Way) =>
    way.fields.every(({ name, isRequired }) => !isRequired || has(name)) &&
    (way.kind !== 'code' || has('refreshToken') || has('accessToken'))
  const ways = waysOf(spec).filter(isComplete)
  return ways.find(({ kind }) => chosen.kind === 'none' || chosen.grant === kind) ?? ways[0] ?? null
}

/** Credentials of other ways would be used in place of the new ones. */
export function withoutOthers(spec: AuthSpec, way: Way, secrets: Secrets): Secrets {
  const own = new Set(fieldsOf(way))
  const others = new Set(waysOf(spec).flatMap(fieldsOf))
  return Object.fromEntries(Object.entries(secrets).filter(([name]) => own.has(name) || !others.has(name)))
}
