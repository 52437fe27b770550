import type { MailAddress } from '../../core/mail/message.ts'

/** Whoever of the company writes to customers, with a mailbox at one of two vendors. */
export type Rep = MailAddress & { readonly name: string; readonly host: 'gmail' | 'outlook' }

/** The company's own domain: none of the generated firms is called so. */
export const OUR_DOMAIN = 'halyard.example'

const rep = (name: string, host: Rep['host']): Rep => ({
  name,
  address: `${name.toLowerCase().replace(' ', '.')}@${OUR_DOMAIN}`,
  host,
})

/** The company bought another one, so it has mail at two vendors. */
export const REPS: readonly [Rep, ...Rep[]] = [
  rep('Nora Whitfield', 'gmail'),
  rep('Tomas Lindqvist', 'gmail'),
  rep('Priya Raman', 'gmail'),
  rep('Ewan Carrick', 'gmail'),
  rep('Ines Delgado', 'outlook'),
  rep('Karl Brandt', 'outlook'),
]

export const repsAt = (host: Rep['host']): readonly Rep[] => REPS.filter((one) => one.host === host)

/** Reps among these people, each once. */
export function repsIn(people: readonly MailAddress[]): readonly Rep[] {
  return REPS.filter(({ address }) => people.some((one) => one.address.toLowerCase() === address))
}
