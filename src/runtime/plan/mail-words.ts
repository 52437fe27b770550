import type { MailConfig, MailRules } from '../../core/mail/rules.ts'

const CONTENT = {
  none: 'Of a message, who wrote to whom, when and in which thread is kept: neither subject nor text.',
  subject: 'Of a message, people, time and subject are kept, not its text.',
  full: 'Messages are kept whole, with their text; attachments by name only.',
} as const
const NEWCOMERS = {
  sent: 'Whom you write to becomes a contact.',
  'sent-and-received': 'Whom you write to, and who writes to you, becomes a contact.',
  never: 'Mail makes no contacts.',
} as const

/** The rules that mail is read by, in sentences. */
export function rulesInWords({ rules, owners, mailboxes }: MailConfig): readonly string[] {
  const own = Object.entries(owners)
  const off = own.filter(([, of]) => of === null).map(([address]) => address)
  const apart = own.filter(([, of]) => of !== null).map(([address]) => address)
  return [
    ...(mailboxes === null ? [] : [`Only these mailboxes are read: ${mailboxes.join(', ')}.`]),
    ...(off.length === 0 ? [] : [`Not read: ${off.join(', ')}.`]),
    ...(apart.length === 0 ? [] : [`With rules of their own: ${apart.join(', ')}.`]),
    ...wordsOf(rules),
  ]
}

function wordsOf(rules: MailRules): readonly string[] {
  const out = [
    'mail among colleagues',
    ...(rules.bulk === 'filter' ? ['newsletters'] : []),
    ...(rules.automatic === 'filter' ? ['mail of machines'] : []),
    ...(rules.strangers === 'filter' ? ['mail with nobody who is a contact'] : []),
    ...(rules.privateLabels.length === 0 ? [] : [`what is labelled ${rules.privateLabels.join(', ')}`]),
    ...(rules.blocked.length === 0 ? [] : [`what comes from or goes to ${rules.blocked.join(', ')}`]),
  ]
  return [
    rules.since === null
      ? 'Everything that is there is read, newest first.'
      : `Mail from ${new Date(rules.since).toISOString().slice(0, 10)} on is read.`,
    `Left out: ${out.join('; ')}.`,
    CONTENT[rules.content],
    NEWCOMERS[rules.newContacts],
  ]
}
