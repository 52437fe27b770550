import type { RemoteId } from '../../../src/connectors/connector.ts'
import { type Letter, letter, person } from '../../../src/sandbox/mail/letter.ts'
import { type MailRig, Reading } from '../mail-rig.ts'

export type MailCheck = {
  /** What a connector that passes can say of itself. */
  readonly name: string
  /** Where mail.ts or docs/connectors.md says so, for the author whose connector does not. */
  readonly contract: string
  /** Throws `Broken` where the contract is not kept, `Lacking` where the check does not apply. */
  run(rig: MailRig): Promise<void>
}

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE

let letters = 0

/** A letter of a customer to `to`, unlike any other. */
export function question(rig: MailRig, fields: Partial<Letter> = {}): Letter {
  const n = ++letters
  return letter({
    from: person('jo@customer.example', 'Jo Wu'),
    to: [person(rig.stand.address)],
    subject: `Question ${n}`,
    text: `How much is number ${n}?`,
    date: rig.io.now() - MINUTE,
    messageId: `q${n}.${rig.io.now()}@customer.example`,
    ...fields,
  })
}

export function answer(rig: MailRig, fields: Partial<Letter> = {}): Letter {
  const to = [person('jo@customer.example', 'Jo Wu')]
  return question(rig, { from: person(rig.stand.address), to, ...fields })
}

/** Letters that have been in the mailbox for hours, newest first. */
export async function seed(rig: MailRig, count: number): Promise<readonly RemoteId[]> {
  const { stand, io } = rig
  const ids: RemoteId[] = []
  for (let n = count; n > 0; n--) {
    const at = io.now() - HOUR - n * MINUTE
    ids.unshift(await stand.deliver(stand.address, question(rig, { date: at }), at))
  }
  return ids
}

/** All there is in the mailbox, read to the end, with what comes after still to come. */
export async function readAll(rig: MailRig, address?: string): Promise<Reading> {
  const reading = new Reading(rig, await rig.box(address))
  await reading.everything()
  return reading
}
