import type { Mailbox } from '../../core/mail/message.ts'
import { rulesFor, type MailRules } from '../../core/mail/rules.ts'
import type { MailboxRow } from '../../store/mail/mailboxes.ts'
import type { Hub, MailTarget } from '../hub.ts'

/** A mailbox with the rules it is read by. */
export type Box = {
  /** Of its row in `streams`. */
  readonly id: number
  readonly connection: string
  /** `connection/address`, for people. */
  readonly label: string
  readonly mailbox: Mailbox
  readonly rules: MailRules
}

export function mailOf(hub: Hub, connection: string): MailTarget | undefined {
  return hub.mails.find((mail) => mail.connection === connection)
}

/** Null where its rules say that it is not read, or where it is not there any more. */
export function boxOf(target: MailTarget, row: MailboxRow): Box | null {
  const rules = row.lostAt === null ? rulesFor(target.config, row.address) : null
  if (rules === null) return null
  return {
    id: row.id,
    connection: row.connection,
    label: `${row.connection}/${row.address}`,
    mailbox: { id: row.remoteId, address: row.address, addresses: row.addresses },
    rules,
  }
}
