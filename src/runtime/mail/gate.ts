import type { Query } from '../../store/database.ts'

/*
 * A page of mail finds no contact and notes its people as strangers, while another transaction makes one of them a
 * contact and finds no such note: each has missed the other's work, which is not committed yet. So a page of mail and
 * a transaction that gives contacts addresses take turns, from here to their commit. Vendors let mail through far more
 * slowly than pages are written, so that pages of different mailboxes wait for each other as well, and threads and new
 * contacts need no further care.
 * https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
 */
const GATE = `hashtextextended('concord mail and contacts', 0)`

/** For a page of mail, before it looks at who is a contact. */
export async function waitForContacts(q: Query): Promise<void> {
  await q.unsafe(`select pg_advisory_xact_lock(${GATE})`)
}

/** For whoever gives addresses to contacts, before it looks at who was a stranger. Several may do so at once. */
export async function waitForMail(q: Query): Promise<void> {
  await q.unsafe(`select pg_advisory_xact_lock_shared(${GATE})`)
}
