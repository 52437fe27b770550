import { mkdir, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { type MailAddress } from '../../../src/core/mail/message.ts'
import { person } from '../../../src/sandbox/mail/letter.ts'

/** Messages of a mailbox for each of its customers, and customers for each of their companies. */
const MESSAGES_EACH = 50
const STAFF = 6
/** Of ten customers one is no contact before mail is sent to them, and one has an open deal. */
const TENTH = 10

const GIVEN = 'Ada Grace Alan Edsger Barbara Donald Frances Niklaus Radia Dennis Zoë Łukasz Jürgen'.split(' ')
const FAMILY =
  'Lovelace Hopper Turing Dijkstra Liskov Knuth Allen Wirth Perlman Ritchie Müller Østergaard'.split(' ')

export const customersOf = (messages: number): number => Math.max(20, Math.floor(messages / MESSAGES_EACH))

export const companyDomain = (n: number): string => `client-${Math.floor(n / STAFF)}.example`

export function customer(n: number): MailAddress {
  const given = GIVEN[n % GIVEN.length] ?? ''
  const family = FAMILY[(n * 7) % FAMILY.length] ?? ''
  const local = `${given}.${family}.${n}`.normalize('NFD').replace(/[^\w.]/g, '')
  return person(`${local.toLowerCase()}@${companyDomain(n)}`, `${given} ${family}`)
}

/** The n-th customer's colleague at the same company. */
export const colleagueOf = (n: number): MailAddress => customer(n % STAFF === 0 ? n + 1 : n - 1)

/** Writes what a hub knows of them before it reads mail, as files of the csv connector; returns the folder. */
export async function writeCustomers(folder: string, count: number): Promise<string> {
  await mkdir(folder, { recursive: true })
  const all = Array.from({ length: count }, (_, n) => n)
  const write = async (name: string, header: string, lines: readonly string[]) => {
    const file = path.join(folder, `${name}.csv`)
    await writeFile(file, `${[header, ...lines].join('\n')}\n`)
    // A file that has just changed may still be being written.
    const hourAgo = Date.now() / 1000 - 3_600
    await utimes(file, hourAgo, hourAgo)
  }
  const domains = [...new Set(all.map(companyDomain))]
  await write(
    'companies',
    'id,name,domain',
    domains.map((domain, i) => `k-${i},Client ${i},${domain}`),
  )
  await write(
    'contacts',
    'id,email,first_name,last_name,company_domain',
    all.flatMap((n) => {
      const { address, name } = customer(n)
      const [given = '', family = ''] = (name ?? '').split(' ')
      return n % TENTH === 3 ? [] : [`c-${n},${address},${given},${family},${companyDomain(n)}`]
    }),
  )
  await write(
    'deals',
    'id,name,pipeline,stage,contact_email,company_domain',
    all.flatMap((n) =>
      n % TENTH === 5 ? [`d-${n},Deal ${n},Sales,Proposal,${customer(n).address},${companyDomain(n)}`] : [],
    ),
  )
  return folder
}
