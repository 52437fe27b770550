import type { Dice } from './dice.ts'
import { REGULARS, type Person } from './people.ts'
import { written } from './phones.ts'
import { TITLE_VARIANTS } from './words.ts'

const DAY_MS = 86_400_000

/** A member of the mailing list, as the sandbox is seeded with. */
export type MemberLook = {
  readonly email: string
  readonly status: Person['mail']
  readonly mergeFields: Readonly<Record<string, string>>
  readonly tags: readonly string[]
  readonly changedAt: number
}

/** A customer of the payment provider, as the sandbox is seeded with. */
export type CustomerLook = {
  readonly email: string
  readonly name: string
  readonly phone: string | null
  /** Unix seconds. */
  readonly created: number
  readonly address: {
    readonly line1: string
    readonly city: string
    readonly state: string | null
    readonly postal_code: string
    readonly country: string
  } | null
  readonly metadata: Readonly<Record<string, string>>
}

/** People fill in a form: nicknames, empty fields, their own way of writing a phone number. */
export function membersOf(dice: Dice, people: readonly Person[], now: number): readonly MemberLook[] {
  return people
    .filter((person) => person.known.mailchimp)
    .map((person, i): MemberLook => {
      const regular = i < REGULARS
      const filled = (share: number, text: string | null) =>
        regular || dice.chance(share) ? (text ?? '') : ''
      const nickname = !regular && dice.chance(0.3) ? person.nickname : null
      return {
        email: typed(dice, person.email, regular),
        status: person.mail,
        mergeFields: given({
          FNAME: filled(0.92, nickname ?? person.given),
          LNAME: filled(0.85, person.family),
          PHONE: filled(
            0.35,
            person.phone === null ? null : written(person.phone, regular ? 0 : dice.below(4)),
          ),
          COMPANY: filled(0.5, person.firm?.name ?? null),
          JOBTITLE: filled(0.3, regular ? person.title : titled(dice, person.title)),
        }),
        tags: dice.chance(0.15) ? [dice.pick(['newsletter', 'trade fair', 'webinar', 'partner'])] : [],
        changedAt: now - DAY_MS * (1 + dice.below(700)),
      }
    })
}

/** A checkout: the legal name, an address more often than not, and what earlier integrations left as metadata. */
export function customersOf(dice: Dice, people: readonly Person[], now: number): readonly CustomerLook[] {
  return people
    .filter((person) => person.known.stripe)
    .flatMap((person, i): CustomerLook[] => {
      const regular = i < REGULARS
      const whole = regular || dice.chance(0.6)
      const asked = regular || dice.chance(0.95)
      const one: CustomerLook = {
        email: typed(dice, person.email, regular),
        name: `${person.given} ${person.family}`,
        phone: whole || dice.chance(0.3) ? person.phone : null,
        created: Math.floor((now - DAY_MS * (3 + dice.below(900))) / 1000),
        address: dice.chance(0.7) ? addressOf(dice, person) : null,
        metadata: given({
          job_title: whole ? person.title : '',
          company: whole ? (person.firm?.name ?? '') : '',
          // The checkout asks; whoever said yes is mostly on the mailing list too.
          email_opt_out: asked && person.known.mailchimp && person.mail === 'subscribed' ? 'false' : '',
        }),
      }
      // Bought twice as a guest, so the provider has two of them.
      const twice = !regular && dice.chance(0.03)
      return twice
        ? [one, { ...one, created: one.created + 86_400, address: addressOf(dice, person) }]
        : [one]
    })
}

function addressOf(dice: Dice, { country }: Person): CustomerLook['address'] {
  const city = dice.pick(country.cities)
  return {
    line1: `${1 + dice.below(180)} ${dice.pick(country.streets)}`,
    city: city.name,
    state: city.region === '' ? null : city.region,
    postal_code: city.postalCode,
    country: country.code,
  }
}

/** An address as somebody typed it: capital letters do no harm. */
export function typed(dice: Dice, email: string, exact = false): string {
  if (exact || dice.chance(0.93)) return email
  const [local = '', domain = ''] = email.split('@')
  const capital = (part: string) => `${part.slice(0, 1).toUpperCase()}${part.slice(1)}`
  return dice.chance(0.3) ? email.toUpperCase() : `${local.split('.').map(capital).join('.')}@${domain}`
}

export function titled(dice: Dice, title: string): string {
  if (dice.chance(0.85)) return title
  const [from, to] = TITLE_VARIANTS.find(([whole]) => title.includes(whole)) ?? ['', '']
  return title.replace(from, to)
}

function given(fields: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''))
}
