import { keysOf } from '../../core/identity.ts'
import type { Json } from '../../core/json.ts'
import type { Fields } from '../../core/model.ts'
import type { Hash, Hasher } from '../../store/mail/key.ts'

/** What an erased address leaves; the mail key makes it, so that nobody can try addresses on it. */
export const addressDigest = (hash: Hasher, address: string): Hash =>
  hash(`erased email ${address.trim().toLowerCase()}`)
export const objectDigest = (hash: Hasher, stream: string, remoteId: string): Hash =>
  hash(`erased object ${stream} ${remoteId}`)
/** Under which the opt-outs of an address are kept. */
export const outDigest = (hash: Hasher, address: string): Hash =>
  hash(`erased out ${address.trim().toLowerCase()}`)

const fold = (value: Json | undefined): string =>
  typeof value === 'string' ? value.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().trim() : ''

const phonesOf = (fields: Fields): readonly string[] =>
  keysOf('contact', fields).flatMap((key) => (key.kind === 'phone' ? [key.value] : []))

const named = (hash: Hasher, phone: string, family: string, given: string): Hash =>
  hash(`erased phone ${phone} ${family}/${given}`)
/** Of a given name that is not known, and of any. */
const [UNSTATED, ANY] = ['?', '*']

/** A number is a household's or a company's too: only beside an agreeing name it says who somebody is. */
export function phoneDigestsLeft(hash: Hasher, fields: Fields): readonly Hash[] {
  const [family, given] = [fold(fields['familyName']), fold(fields['givenName'])]
  if (family === '') return []
  return phonesOf(fields).flatMap((phone) => [
    named(hash, phone, family, ANY),
    named(hash, phone, family, given === '' ? UNSTATED : given),
  ])
}

/** What a newcomer is looked up by, who agrees in the names that both state. */
export function phoneDigestsOf(hash: Hasher, fields: Fields): readonly Hash[] {
  const [family, given] = [fold(fields['familyName']), fold(fields['givenName'])]
  if (family === '') return []
  return phonesOf(fields).flatMap((phone) =>
    given === ''
      ? [named(hash, phone, family, ANY)]
      : [named(hash, phone, family, given), named(hash, phone, family, UNSTATED)],
  )
}
