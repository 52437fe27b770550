import type { JsonObject } from '../../core/json.ts'
import type { Outcome } from '../connector.ts'
import type { MemberCall } from './exchange.ts'
import { assertKeepsConsent, type Profile } from './profile.ts'

/** What became of a write so far: done, or something still to send. */
export type Step =
  | { readonly kind: 'done'; readonly outcome: Outcome }
  | { readonly kind: 'call'; readonly call: MemberCall; readonly profile: Profile }
  /** Nothing to send but perhaps tags. */
  | { readonly kind: 'tags'; readonly id: string; readonly profile: Profile }

/** Required merge fields do not stop a write about other fields: people sign up with forms of their own. */
export function profileCall(
  method: 'PUT' | 'PATCH',
  path: string,
  key: string,
  body: JsonObject,
): MemberCall {
  assertKeepsConsent(body)
  return { key, method, path, query: { skip_merge_validation: 'true' }, body }
}
