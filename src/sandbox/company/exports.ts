import type { Deal } from './deals.ts'
import type { Dice } from './dice.ts'
import { REGULARS, type Firm, type Person } from './people.ts'
import { written } from './phones.ts'
import { titled, typed } from './vendors.ts'

/** The text of each export. */
export type Exports = { readonly contacts: string; readonly companies: string; readonly deals: string }

const HEADERS = {
  contacts: 'id,email,first_name,last_name,phone,job_title,company,company_domain,unsubscribed',
  companies: 'id,name,domain,phone,industry,employees',
  deals: 'id,name,pipeline,stage,amount,currency,close_date,contact_email,company_domain,lines',
}

type Facts = {
  readonly people: readonly Person[]
  readonly firms: readonly Firm[]
  readonly deals: readonly Deal[]
}

/** What an older CRM exports: mostly right, with rows that people have broken by hand. */
export function exportsOf(dice: Dice, { people, firms, deals }: Facts): Exports {
  const contacts = people
    .filter((person) => person.known.csv)
    .map((person, i) => contactRow(dice, person, i < REGULARS))
  // One in 250, and always some: nobody believes an export without.
  const broken = Math.max(3, Math.round(contacts.length / 250))
  for (let i = 0; i < broken; i++) {
    const at = Math.min(contacts.length, REGULARS + dice.below(contacts.length))
    contacts.splice(at, 0, brokenRow(i))
  }
  return {
    contacts: file(HEADERS.contacts, contacts),
    companies: file(
      HEADERS.companies,
      firms.map(({ id, name, domain, phone, industry, employees }) => {
        const site = dice.chance(0.15) ? `https://www.${domain}/` : domain
        const number = phone === null ? '' : written(phone, dice.below(4))
        return row([
          id,
          dice.chance(0.04) ? name.toUpperCase() : name,
          site,
          number,
          industry,
          String(employees),
        ])
      }),
    ),
    deals: file(
      HEADERS.deals,
      deals.map((deal) => dealRow(deal)),
    ),
  }
}

function contactRow(dice: Dice, person: Person, regular: boolean): string {
  // Known by phone only; or the address was copied down wrongly.
  const slip = regular || person.phone === null ? 1 : dice.next()
  const email = slip < 0.03 ? '' : slip < 0.045 ? misspelt(person.email) : typed(dice, person.email, regular)
  const phone =
    person.phone === null || (!regular && slip > 0.045 && dice.chance(0.1))
      ? ''
      : written(person.phone, regular ? 0 : dice.below(4))
  const lost = !regular && dice.chance(0.01)
  return row([
    person.id,
    email,
    person.given,
    person.family,
    lost ? dice.pick(['n/a', 'ask reception', '555']) : phone,
    regular || dice.chance(0.8) ? (regular ? person.title : titled(dice, person.title)) : '',
    person.firm?.name ?? '',
    person.firm?.domain ?? '',
    !regular && dice.chance(0.02) ? 'yes' : '',
  ])
}

/** Two letters swapped. */
function misspelt(email: string): string {
  const at = Math.max(1, Math.floor(email.indexOf('@') / 2))
  return `${email.slice(0, at - 1)}${email.charAt(at)}${email.charAt(at - 1)}${email.slice(at + 1)}`
}

const BROKEN: readonly ((id: string) => string)[] = [
  (id) => `${id},hanna.weiss@mail.example,Hanna`,
  (id) => `${id},"jo "the boss" park@mail.example",Jo,Park,,,,,`,
  (id) => `${id},not an address,Sam,Hollis,,Buyer,,,`,
  () => ',no.id@mail.example,Noa,Idris,,,,,',
  (id) => `${id},li@@mail.example,Li,Marsh,,,,,no,more,cells`,
]

function brokenRow(n: number): string {
  return BROKEN[n % BROKEN.length]?.(`c-broken-${n + 1}`) ?? ''
}

function dealRow({ id, name, stage, amount, currency, closeDate, contact, firm, lines }: Deal): string {
  const digits = currency === 'JPY' ? 0 : 2
  return row([
    id,
    name,
    'Sales',
    stage,
    amount === null ? '' : (amount / 10 ** digits).toFixed(digits),
    amount === null ? '' : currency,
    closeDate,
    contact?.email ?? '',
    firm?.domain ?? '',
    lines.length === 0 || amount === null ? '' : JSON.stringify(lines),
  ])
}

function row(cells: readonly string[]): string {
  return cells.map((cell) => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',')
}

function file(header: string, rows: readonly string[]): string {
  return `${[header, ...rows].join('\n')}\n`
}
