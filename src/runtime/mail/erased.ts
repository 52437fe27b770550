import type { RecordId } from '../../core/model.ts'
import type { SightingRow } from '../../store/mail/sightings.ts'
import { contactOf } from './crowd.ts'
import type { Passed, Person } from './judge.ts'
import { filteredRow, them } from './page.ts'

/** Erased, and nobody's address since: one that another contact got is theirs. */
const isErased = (
  person: Person,
  erased: ReadonlySet<string>,
  contacts: ReadonlyMap<string, RecordId>,
): boolean => person.forms.some((form) => erased.has(form)) && contactOf(contacts, person) === null

/** Whether nobody but people who were erased takes part from outside: such mail is not logged. */
export function isAbout(
  one: Passed,
  erased: ReadonlySet<string>,
  contacts: ReadonlyMap<string, RecordId>,
): boolean {
  const others = them(one)
  return erased.size > 0 && others.length > 0 && others.every((person) => isErased(person, erased, contacts))
}

/** Mail in which somebody erased takes part beside others: without them, and without what it says. */
export function withoutErased(
  one: Passed,
  erased: ReadonlySet<string>,
  contacts: ReadonlyMap<string, RecordId>,
): Passed {
  if (erased.size === 0) return one
  const people = one.people.filter((person) => !isErased(person, erased, contacts))
  if (people.length === one.people.length) return one
  const gone = new Set(
    one.people.filter((person) => !people.includes(person)).map((person) => person.address),
  )
  const stays = (list: Passed['message']['envelope']['from']) =>
    list.filter(({ address }) => !gone.has(address))
  const { envelope } = one.message
  return {
    ...one,
    people,
    message: {
      ...one.message,
      subject: null,
      text: null,
      quoted: null,
      signature: null,
      html: null,
      attachments: [],
      envelope: {
        ...envelope,
        from: stays(envelope.from),
        sender: envelope.sender !== null && gone.has(envelope.sender.address) ? null : envelope.sender,
        replyTo: stays(envelope.replyTo),
        to: stays(envelope.to),
        cc: stays(envelope.cc),
        bcc: stays(envelope.bcc),
        headers: {},
      },
    },
  }
}

export const erasedRow = (one: Passed): SightingRow =>
  filteredRow({
    id: one.id,
    reason: 'withdrawn',
    detail: 'nobody but a person who was erased takes part in it',
    idHash: one.idHash,
  })
