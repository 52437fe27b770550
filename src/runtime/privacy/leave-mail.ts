import type { RecordId, Source } from '../../core/model.ts'
import type { Patterns } from '../../core/privacy.ts'
import { addToScope, leaveMessages, messagesAfter } from '../../store/erase-rows.ts'
import { lockMessages } from '../../store/mail/messages.ts'
import { forgetMessages } from '../../store/mail/sightings.ts'
import { scrubMessages } from '../../store/scrub-rows.ts'
import type { Following } from '../change.ts'
import { withdraw } from '../mail/withdraw.ts'
import { scrubActivities } from './leave-records.ts'

const CHUNK = 200
const RULE = 'a person was erased'

/**
 * Takes a person out of logged mail: messages with nobody else from outside are erased and stay out, of others the
 * person's part, name and address are taken.
 */
export async function leaveMail(
  following: Following,
  contacts: readonly RecordId[],
  addresses: readonly string[],
  patterns: Patterns,
  by: Source,
): Promise<{ readonly counts: Readonly<Record<string, number>>; readonly woken: ReadonlySet<string> }> {
  const { hub, q, run } = following
  const woken = new Set<string>()
  const counts = { messages: 0, sharedMessages: 0 }
  for (let after = 0; ; ) {
    const page = await messagesAfter(q, contacts, addresses, after, CHUNK)
    const last = page.at(-1)
    if (last === undefined) return { counts, woken }
    const ids = page.map((one) => one.id)
    await lockMessages(q, ids)
    await addToScope(q, ids)
    const alone = page.filter((one) => one.alone).map((one) => one.id)
    const shared = page.filter((one) => !one.alone).map((one) => one.id)
    for (const name of await withdraw(hub, q, alone, { state: 'removed', by, rule: RULE }, run))
      woken.add(name)
    await forgetMessages(q, alone, RULE)
    await leaveMessages(q, shared, contacts, addresses)
    await scrubMessages(q, shared, patterns)
    for (const name of await scrubActivities(following, shared, contacts, patterns, by)) woken.add(name)
    counts.messages += alone.length
    counts.sharedMessages += shared.length
    after = last.id
  }
}
