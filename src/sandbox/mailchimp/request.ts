import type { Context } from 'hono'
import { notFound, Problem } from './problem.ts'
import { findMember, type Audience, type MailchimpState, type Member } from './state.ts'

export function audienceOf(state: MailchimpState, id: string): Audience {
  const audience = state.audiences.get(id)
  if (audience === undefined) throw notFound()
  return audience
}

export function memberOf(audience: Audience, key: string): Member {
  const member = findMember(audience, key)
  if (member === undefined) throw notFound()
  return member
}

/** The body as JSON, whatever content type it claims. */
export async function jsonBody(c: Context): Promise<unknown> {
  const text = await c.req.text()
  if (text === '') return {}
  try {
    return JSON.parse(text)
  } catch {
    throw new Problem(400, 'JSON Parse Error', 'We encountered an unspecified JSON parsing error.')
  }
}

export function isTrue(flag: string | undefined): boolean {
  return flag === 'true' || flag === '1'
}
